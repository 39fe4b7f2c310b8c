/// The looped stage's input FIFO: one frame deep (and two words), and it tells whether a whole frame is inside.
///
/// Latency       3 cycles. Throughput 1 word per cycle.
/// Backpressure  `s_axis_tready` comes from a register.
/// Overflow      impossible through the handshake.
///
/// The two words more than a frame let the next frame be complete by the time that the last word of the one before it
/// leaves, so that two frames can be admitted one right after the other.
`default_nettype none

module ode_loop_input #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Words of a frame, >= 1.
    parameter int unsigned WORDS_PER_FRAME = 64,
    // Kind of memory, see stream_fifo.
    parameter RAM_STYLE = "auto"
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [DATA_WIDTH-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [DATA_WIDTH-1:0]       m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready,
    // Whether all words of at least one frame will be inside in the next cycle; exact at frame boundaries of `m_axis`.
    output logic                        frame_buffered_next
);

  localparam int unsigned DEPTH = WORDS_PER_FRAME + 2;
  // Whole frames that fit: three if a frame is a single word, else at most two.
  localparam int unsigned FRAMES_WIDTH = $clog2(DEPTH / WORDS_PER_FRAME + 1);

  logic frame_arrives, frame_leaves;
  logic [FRAMES_WIDTH-1:0] frames_d, frames_q;

  /* verilator lint_off PINCONNECTEMPTY */
  stream_fifo #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(DEPTH),
      .RAM_STYLE(RAM_STYLE)
  ) fifo (
      .clk,
      .rst,
      .s_axis_tdata,
      .s_axis_tvalid,
      .s_axis_tready,
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready,
      .level()
  );

  ode_loop_word_counter #(.WORDS_PER_FRAME(WORDS_PER_FRAME)) arriving (
      .clk,
      .rst,
      .step(s_axis_tvalid && s_axis_tready),
      .first(),
      .frame_end(frame_arrives)
  );
  ode_loop_word_counter #(.WORDS_PER_FRAME(WORDS_PER_FRAME)) leaving (
      .clk,
      .rst,
      .step(m_axis_tvalid && m_axis_tready),
      .first(),
      .frame_end(frame_leaves)
  );
  /* verilator lint_on PINCONNECTEMPTY */

  assign frames_d = frames_q + FRAMES_WIDTH'(frame_arrives) - FRAMES_WIDTH'(frame_leaves);
  assign frame_buffered_next = frames_d != '0;

  always_ff @(posedge clk) begin
    if (rst) frames_q <= '0;
    else frames_q <= frames_d;
  end

endmodule

`default_nettype wire
