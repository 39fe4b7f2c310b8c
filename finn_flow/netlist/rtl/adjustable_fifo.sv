/// The handshakes of FINN's FIFO of any depth, chosen when a simulation starts; carries no data.
///
/// Function      the depth in words is line INDEX of `settings.dat`; 0 means no FIFO at all: input and output are joined.
///               `m_axis_tdata` is 0. `maxcount` is the greatest number of words held since reset.
/// Latency       2 cycles, as FINN's shift-register and LUTRAM FIFOs; none for depth 0.
/// Throughput    one word per cycle.
/// Backpressure  registered, but for depth 0.
/// Overflow      impossible; depth 1 is refused when the simulation starts.
`default_nettype none

module adjustable_fifo #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Line of `settings.dat`, from 0, and how many there are.
    parameter int unsigned INDEX = 0,
    parameter int unsigned SETTINGS = 1
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [DATA_WIDTH-1:0]       m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready,
    output logic [31:0]                 maxcount
);

  if (INDEX >= SETTINGS) begin : gen_check_index
    $fatal(1, "%m: INDEX must be less than SETTINGS");
  end

  logic [31:0] settings[SETTINGS];
  initial begin
    $readmemh("settings.dat", settings);
    if (settings[INDEX] == 1) $fatal(1, "%m: a FIFO of depth 1 is not possible");
  end

  // All words but one stand in the memory, the one in the output register.
  wire logic [31:0] depth = settings[INDEX];
  logic [31:0] stored_q, maxcount_q;
  logic valid_q;

  wire logic push = s_axis_tvalid && s_axis_tready;
  wire logic load = !valid_q || m_axis_tready;
  wire logic drain = stored_q != 0 && load;
  wire logic [31:0] stored_d = stored_q + 32'(push) - 32'(drain);
  wire logic valid_d = load ? drain : valid_q;
  wire logic [31:0] count_d = stored_d + 32'(valid_d);

  assign m_axis_tdata = '0;
  assign s_axis_tready = depth == 0 ? m_axis_tready : stored_q + 1 < depth;
  assign m_axis_tvalid = depth == 0 ? s_axis_tvalid : valid_q;
  assign maxcount = maxcount_q;

  always_ff @(posedge clk) begin
    if (rst || depth == 0) begin
      stored_q <= 0;
      valid_q <= 1'b0;
      maxcount_q <= 0;
    end else begin
      stored_q <= stored_d;
      valid_q <= valid_d;
      if (count_d > maxcount_q) maxcount_q <= count_d;
    end
  end

endmodule

`default_nettype wire
