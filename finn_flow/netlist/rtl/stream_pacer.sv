/// Lets WORDS words pass in every CYCLES cycles, spread evenly; used to measure how full FIFOs get at the network's pace.
///
/// Function      line 0 of `settings.dat` switches it on (1) or off (0: words pass freely) when a simulation starts.
/// Latency       none: data and handshake pass through, gated by a register.
/// Throughput    at most WORDS / CYCLES words per cycle. It does not catch up after a pause.
/// Backpressure  `s_axis_tready` follows `m_axis_tready` combinationally: for simulation only.
`default_nettype none

module stream_pacer #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Words of a frame, >= 1.
    parameter int unsigned WORDS = 1,
    // Cycles of a frame, >= WORDS.
    parameter int unsigned CYCLES = 1,
    // Lines of `settings.dat`, >= 1.
    parameter int unsigned SETTINGS = 1
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [DATA_WIDTH-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [DATA_WIDTH-1:0]       m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready
);

  if (WORDS < 1 || CYCLES < WORDS) begin : gen_check_pace
    $fatal(1, "%m: CYCLES must be at least WORDS, and WORDS at least 1");
  end

  logic [31:0] settings[SETTINGS];
  initial $readmemh("settings.dat", settings);

  // Earned so far, in units of 1/CYCLES words; a word costs CYCLES. What a late word did not use is lost: no bursts.
  localparam int unsigned MOST = CYCLES + WORDS;
  localparam int unsigned CREDIT_WIDTH = $clog2(MOST + WORDS + 1);
  logic [CREDIT_WIDTH-1:0] credit_d, credit_q;

  wire logic pass = settings[0] == 0 || credit_q >= CREDIT_WIDTH'(CYCLES);
  wire logic fire = m_axis_tvalid && m_axis_tready;

  assign m_axis_tdata = s_axis_tdata;
  assign m_axis_tvalid = s_axis_tvalid && pass;
  assign s_axis_tready = m_axis_tready && pass;

  always_comb begin
    credit_d = credit_q + CREDIT_WIDTH'(WORDS);
    if (fire) credit_d -= CREDIT_WIDTH'(CYCLES);
    if (credit_d > CREDIT_WIDTH'(MOST)) credit_d = CREDIT_WIDTH'(MOST);
  end

  always_ff @(posedge clk) begin
    if (rst) credit_q <= CREDIT_WIDTH'(CYCLES);
    else credit_q <= credit_d;
  end

endmodule

`default_nettype wire
