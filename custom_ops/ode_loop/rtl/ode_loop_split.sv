/// End of the looped stage: sends each pass that leaves the body to the output or back to the merge.
///
/// Takes one token per pass, in the order in which the passes started: high sends the pass to `m_axis` (it was the frame's
/// last), low to `m_feedback`.
///
/// Latency       1 cycle to `m_axis`, 0 to `m_feedback` (which must be a FIFO). Throughput 1 word per cycle, no cycle lost
///               between two passes.
/// Backpressure  `m_axis` leaves through a queue: nothing combinational from its TREADY. While it is stalled a last pass
///               stays in the body, and everything behind it waits.
/// Overflow      `m_feedback` must always be ready (see ode_loop); an assertion watches it.
`default_nettype none

module ode_loop_split #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Words of a frame, >= 1.
    parameter int unsigned WORDS_PER_FRAME = 64
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [DATA_WIDTH-1:0]  s_body_tdata,
    input  wire logic                   s_body_tvalid,
    output logic                        s_body_tready,
    input  wire logic                   s_token_tdata,
    input  wire logic                   s_token_tvalid,
    output logic                        s_token_tready,
    output logic [DATA_WIDTH-1:0]       m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready,
    output logic [DATA_WIDTH-1:0]       m_feedback_tdata,
    output logic                        m_feedback_tvalid,
    input  wire logic                   m_feedback_tready
);

  logic output_ready;
  wire logic to_output = s_token_tvalid && s_token_tdata;
  wire logic to_feedback = s_token_tvalid && !s_token_tdata;

  assign s_body_tready = (to_output && output_ready) || (to_feedback && m_feedback_tready);
  assign m_feedback_tvalid = s_body_tvalid && to_feedback;
  assign m_feedback_tdata = s_body_tdata;

  /* verilator lint_off PINCONNECTEMPTY */
  ode_loop_word_counter #(.WORDS_PER_FRAME(WORDS_PER_FRAME)) position (
      .clk,
      .rst,
      .step(s_body_tvalid && s_body_tready),
      .first(),
      .frame_end(s_token_tready)
  );

  stream_queue #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(2)
  ) to_axis (
      .clk,
      .rst,
      .s_axis_tdata(s_body_tdata),
      .s_axis_tvalid(s_body_tvalid && to_output),
      .s_axis_tready(output_ready),
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready,
      .level()
  );
  /* verilator lint_on PINCONNECTEMPTY */

`ifndef SYNTHESIS
  always_ff @(posedge clk) begin
    if (!rst) begin
      assert (!m_feedback_tvalid || m_feedback_tready)
      else $error("%m: feedback FIFO overflow: you will lose data!");
      assert (!s_body_tvalid || s_token_tvalid)
      else $error("%m: the body gives a word outside any pass: frames will be mixed up!");
    end
  end
`endif

endmodule

`default_nettype wire
