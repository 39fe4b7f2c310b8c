/// Words of N streams side by side in one word: lane p of stream i becomes lane p * N + i.
///
/// Latency       1 cycle.
/// Throughput    1 word per cycle.
/// Backpressure  a word of each input is taken together, so each TREADY depends on the others' TVALID and on a register;
///               nothing combinational from `m_axis_tready`.
/// Overflow      impossible through the handshake.
`default_nettype none

module interleave #(
    // Number of inputs, >= 2.
    parameter int unsigned N = 2,
    // Elements per word of an input, >= 1.
    parameter int unsigned PE = 2,
    // Bits of an element, >= 1.
    parameter int unsigned BITS = 8
) (
    input  wire logic                         clk,
    input  wire logic                         rst,
    input  wire logic [N-1:0][PE*BITS-1:0]    s_axis_tdata,
    input  wire logic [N-1:0]                 s_axis_tvalid,
    output logic [N-1:0]                      s_axis_tready,
    output logic [N*PE*BITS-1:0]              m_axis_tdata,
    output logic                              m_axis_tvalid,
    input  wire logic                         m_axis_tready
);

  if (N < 2) begin : gen_check_inputs
    $fatal(1, "%m: N must be at least 2, not %0d", N);
  end
  if (PE < 1 || BITS < 1) begin : gen_check_word
    $fatal(1, "%m: PE and BITS must be at least 1, not %0d and %0d", PE, BITS);
  end

  logic room;
  wire logic take = room && (&s_axis_tvalid);
  logic [N*PE*BITS-1:0] word;

  for (genvar i = 0; i < N; i++) begin : gen_input
    // Its own TVALID is left out: TREADY may come before it.
    assign s_axis_tready[i] = room && (&(s_axis_tvalid | (N'(1) << i)));
    for (genvar p = 0; p < PE; p++) begin : gen_lane
      assign word[(p*N+i)*BITS+:BITS] = s_axis_tdata[i][p*BITS+:BITS];
    end

    stream_checker #(
        .DATA_WIDTH(PE * BITS)
    ) check_input (
        .clk(clk),
        .rst(rst),
        .tdata(s_axis_tdata[i]),
        .tvalid(s_axis_tvalid[i]),
        .tready(s_axis_tready[i])
    );
  end

  /* verilator lint_off PINCONNECTEMPTY */
  stream_queue #(
      .DATA_WIDTH(N * PE * BITS),
      .DEPTH(2)
  ) queue (
      .clk(clk),
      .rst(rst),
      .s_axis_tdata(word),
      .s_axis_tvalid(take),
      .s_axis_tready(room),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready),
      .level()
  );
  /* verilator lint_on PINCONNECTEMPTY */

endmodule

`default_nettype wire
