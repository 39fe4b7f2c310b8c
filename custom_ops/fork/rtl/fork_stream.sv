/// Copies of a stream: every input word goes to each of N outputs, each with a buffer of two words.
///
/// Latency       1 cycle.
/// Throughput    1 word per cycle.
/// Backpressure  a word is taken when all buffers have room, so one output may run ahead of another by two words; a longer
///               way behind one output needs a FIFO there. `s_axis_tready` comes from registers.
/// Overflow      impossible through the handshake.
`default_nettype none

module fork_stream #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Number of outputs, >= 2.
    parameter int unsigned N = 2
) (
    input  wire logic                         clk,
    input  wire logic                         rst,
    input  wire logic [DATA_WIDTH-1:0]        s_axis_tdata,
    input  wire logic                         s_axis_tvalid,
    output logic                              s_axis_tready,
    output logic [N-1:0][DATA_WIDTH-1:0]      m_axis_tdata,
    output logic [N-1:0]                      m_axis_tvalid,
    input  wire logic [N-1:0]                 m_axis_tready
);

  if (N < 2) begin : gen_check_outputs
    $fatal(1, "%m: N must be at least 2, not %0d", N);
  end

  logic [N-1:0] room;
  assign s_axis_tready = &room;

  for (genvar i = 0; i < N; i++) begin : gen_output
    logic [1:0] level;
    stream_queue #(
        .DATA_WIDTH(DATA_WIDTH),
        .DEPTH(2)
    ) queue (
        .clk(clk),
        .rst(rst),
        .s_axis_tdata(s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid && s_axis_tready),
        .s_axis_tready(room[i]),
        .m_axis_tdata(m_axis_tdata[i]),
        .m_axis_tvalid(m_axis_tvalid[i]),
        .m_axis_tready(m_axis_tready[i]),
        .level(level)
    );
    wire logic unused = &{1'b0, level};

    stream_checker #(
        .DATA_WIDTH(DATA_WIDTH)
    ) check_output (
        .clk(clk),
        .rst(rst),
        .tdata(m_axis_tdata[i]),
        .tvalid(m_axis_tvalid[i]),
        .tready(m_axis_tready[i])
    );
  end

  stream_checker #(
      .DATA_WIDTH(DATA_WIDTH)
  ) check_input (
      .clk(clk),
      .rst(rst),
      .tdata(s_axis_tdata),
      .tvalid(s_axis_tvalid),
      .tready(s_axis_tready)
  );

endmodule

`default_nettype wire
