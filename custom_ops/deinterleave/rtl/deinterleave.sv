/// One of N streams whose words lie side by side: lane p of the output is lane p * N + POSITION.
///
/// Latency       1 cycle.
/// Throughput    1 word per cycle.
/// Backpressure  `s_axis_tready` is a register: nothing combinational between the two sides.
/// Overflow      impossible through the handshake.
`default_nettype none

module deinterleave #(
    // Number of streams side by side, >= 2.
    parameter int unsigned N = 2,
    // Which of them is wanted, < N.
    parameter int unsigned POSITION = 0,
    // Elements per word of the output, >= 1.
    parameter int unsigned PE = 2,
    // Bits of an element, >= 1.
    parameter int unsigned BITS = 8
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic [N*PE*BITS-1:0]  s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output logic                       s_axis_tready,
    output logic [PE*BITS-1:0]         m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready
);

  if (N < 2 || POSITION >= N) begin : gen_check_streams
    $fatal(1, "%m: N must be at least 2 and POSITION below it, not %0d and %0d", N, POSITION);
  end
  if (PE < 1 || BITS < 1) begin : gen_check_word
    $fatal(1, "%m: PE and BITS must be at least 1, not %0d and %0d", PE, BITS);
  end

  logic [PE*BITS-1:0] word;
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    assign word[p*BITS+:BITS] = s_axis_tdata[(p*N+POSITION)*BITS+:BITS];
  end

  /* verilator lint_off PINCONNECTEMPTY */
  stream_queue #(
      .DATA_WIDTH(PE * BITS),
      .DEPTH(2)
  ) queue (
      .clk(clk),
      .rst(rst),
      .s_axis_tdata(word),
      .s_axis_tvalid(s_axis_tvalid),
      .s_axis_tready(s_axis_tready),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready),
      .level()
  );
  /* verilator lint_on PINCONNECTEMPTY */

  stream_checker #(
      .DATA_WIDTH(N * PE * BITS)
  ) check_input (
      .clk(clk),
      .rst(rst),
      .tdata(s_axis_tdata),
      .tvalid(s_axis_tvalid),
      .tready(s_axis_tready)
  );

endmodule

`default_nettype wire
