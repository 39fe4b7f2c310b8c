/// Queue of a few words with one cycle of latency; with DEPTH 2 it is a skid buffer (register slice).
/// For more than some 32 words use `stream_fifo`, whose memory can be BRAM or URAM.
///
/// Latency       1 cycle.
/// Throughput    1 word per cycle for DEPTH >= 2 (DEPTH 1: one word every two cycles).
/// Backpressure  `s_axis_tready` and `m_axis_tvalid` are registers: nothing combinational between the two sides.
/// Overflow      impossible through the handshake.
/// Reset         empties it; `s_axis_tready` is low during reset and in the cycle after it.
`default_nettype none

module stream_queue #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Words that it holds, >= 1.
    parameter int unsigned DEPTH = 2,
    // Derived: bits of the fill level.
    localparam int unsigned LEVEL_WIDTH = $clog2(DEPTH + 1)
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [DATA_WIDTH-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [DATA_WIDTH-1:0]       m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready,
    // Words inside.
    output logic [LEVEL_WIDTH-1:0]      level
);

  localparam int unsigned ADDRESS_WIDTH = (DEPTH > 1) ? $clog2(DEPTH) : 1;
  localparam logic [ADDRESS_WIDTH-1:0] LAST_ADDRESS = ADDRESS_WIDTH'(DEPTH - 1);

  if (DATA_WIDTH < 1) begin : gen_check_width
    $fatal(1, "%m: DATA_WIDTH must be at least 1");
  end
  if (DEPTH < 1) begin : gen_check_depth
    $fatal(1, "%m: DEPTH must be at least 1");
  end

  logic [DATA_WIDTH-1:0] memory[DEPTH];
  logic [ADDRESS_WIDTH-1:0] write_address_q, read_address_q;
  logic [LEVEL_WIDTH-1:0] level_d, level_q;
  logic ready_q, valid_q;

  wire logic push = s_axis_tvalid && s_axis_tready;
  wire logic pop = m_axis_tvalid && m_axis_tready;

  assign s_axis_tready = ready_q;
  assign m_axis_tvalid = valid_q;
  assign m_axis_tdata = memory[read_address_q];
  assign level = level_q;
  assign level_d = level_q + LEVEL_WIDTH'(push) - LEVEL_WIDTH'(pop);

  always_ff @(posedge clk) begin
    if (push) memory[write_address_q] <= s_axis_tdata;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      write_address_q <= '0;
      read_address_q <= '0;
      level_q <= '0;
      ready_q <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      if (push) write_address_q <= (write_address_q == LAST_ADDRESS) ? '0 : write_address_q + 1'b1;
      if (pop) read_address_q <= (read_address_q == LAST_ADDRESS) ? '0 : read_address_q + 1'b1;
      level_q <= level_d;
      ready_q <= level_d != LEVEL_WIDTH'(DEPTH);
      valid_q <= level_d != '0;
    end
  end

endmodule

`default_nettype wire
