/// Start of the looped stage: gives the body one pass after another, of frames that come back or of new ones.
///
/// A *pass* is one frame going through the body once. At every frame boundary the next pass is chosen:
///   1. a frame that comes back, as soon as its first word is there; else
///   2. a new frame, if no frame inside will come back (it may then arrive as slowly as it likes), or if it is buffered
///      completely and fewer than FRAMES_IN_FLIGHT frames inside will come back.
/// So a frame that arrives slowly never holds up one that is inside, and frames stay in order: the passes of two frames
/// alternate, because everything between two merges is first in, first out.
/// Each pass start gives one `m_token` word (is this the last pass?) and one word on every index stream (the iteration).
///
/// Latency       1 cycle. Throughput 1 word per cycle, no cycle lost between two passes.
/// Backpressure  `m_body` and the index streams leave through queues: nothing combinational from their TREADY.
/// Overflow      impossible through the handshake.
/// Stalls        A pass does not start while an index queue or the token queue is full. That cannot deadlock: the words
///               that fill them belong to passes already started, which need nothing from this one to move on. With
///               FRAMES_IN_FLIGHT + 1 words per index queue it does not cost a cycle either: a body that needs
///               FRAMES_IN_FLIGHT frames to be busy has at most that many passes between its input and any node,
///               plus the one that starts. A place that becomes free is seen a cycle later (frames of one word: at once).
`default_nettype none

module ode_loop_merge #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Words of a frame, >= 1.
    parameter int unsigned WORDS_PER_FRAME = 64,
    // Passes of a frame, >= 2.
    parameter int unsigned ITERATIONS = 2,
    // Frames that may be inside and come back, >= 1.
    parameter int unsigned FRAMES_IN_FLIGHT = 1,
    // Index streams, >= 0; with 0 the ports are one stream wide and stay silent.
    parameter int unsigned NUM_INDEX = 0,
    // Bits of an index word, enough for ITERATIONS - 1.
    parameter int unsigned INDEX_WIDTH = $clog2(ITERATIONS),
    // Derived: index streams in the ports.
    localparam int unsigned INDEX_PORTS = (NUM_INDEX > 0) ? NUM_INDEX : 1
) (
    input  wire logic                                     clk,
    input  wire logic                                     rst,
    // New frames.
    input  wire logic [DATA_WIDTH-1:0]                    s_axis_tdata,
    input  wire logic                                     s_axis_tvalid,
    output logic                                          s_axis_tready,
    // A whole new frame will wait in front of `s_axis` in the next cycle (looked at only before frame boundaries).
    input  wire logic                                     frame_buffered_next,
    // Frames that come back.
    input  wire logic [DATA_WIDTH-1:0]                    s_feedback_tdata,
    input  wire logic                                     s_feedback_tvalid,
    output logic                                          s_feedback_tready,
    output logic [DATA_WIDTH-1:0]                         m_body_tdata,
    output logic                                          m_body_tvalid,
    input  wire logic                                     m_body_tready,
    // One word per pass, given at its start: high for a frame's last pass.
    output logic                                          m_token_tdata,
    output logic                                          m_token_tvalid,
    input  wire logic                                     m_token_tready,
    // One word per pass and stream: the iteration, 0 to ITERATIONS - 1.
    output logic [INDEX_PORTS-1:0][INDEX_WIDTH-1:0]       m_index_tdata,
    output logic [INDEX_PORTS-1:0]                        m_index_tvalid,
    input  wire logic [INDEX_PORTS-1:0]                   m_index_tready
);

  localparam int unsigned ITERATION_WIDTH = (ITERATIONS > 2) ? $clog2(ITERATIONS) : 1;
  localparam logic [ITERATION_WIDTH-1:0] LAST_ITERATION = ITERATION_WIDTH'(ITERATIONS - 1);
  localparam int unsigned RETURNING_WIDTH = $clog2(FRAMES_IN_FLIGHT + 2);

  if (ITERATIONS < 2) begin : gen_check_iterations
    $fatal(1, "%m: ITERATIONS must be at least 2");
  end
  if (FRAMES_IN_FLIGHT < 1) begin : gen_check_frames
    $fatal(1, "%m: FRAMES_IN_FLIGHT must be at least 1");
  end
  if (INDEX_WIDTH < ITERATION_WIDTH) begin : gen_check_index
    $fatal(1, "%m: INDEX_WIDTH must hold ITERATIONS - 1");
  end

  logic boundary;
  logic from_feedback_q;
  logic body_ready;
  logic [INDEX_PORTS-1:0] index_ready;
  // Iteration of the next pass of every frame that will come back, oldest first; their number is `returning`.
  logic [ITERATION_WIDTH-1:0] next_iteration;
  logic [RETURNING_WIDTH-1:0] returning;
  logic returning_valid, returning_ready;

  // Whether a new frame may start, and whether any pass may. Both change to the worse by starts alone, which are
  // WORDS_PER_FRAME cycles apart at least, or by a new frame leaving: if that is more than one, registers know in time.
  logic admit, start_ready;
  wire logic none_returns = returning == '0;
  wire logic fewer_return = returning < RETURNING_WIDTH'(FRAMES_IN_FLIGHT);
  wire logic places = m_token_tready && (&index_ready) && returning_ready;
  if (WORDS_PER_FRAME == 1) begin : gen_at_once
    logic buffered_q;
    always_ff @(posedge clk) buffered_q <= !rst && frame_buffered_next;
    assign admit = none_returns || (buffered_q && fewer_return);
    assign start_ready = places;
  end else begin : gen_ahead
    always_ff @(posedge clk) begin
      admit <= !rst && (none_returns || (frame_buffered_next && fewer_return));
      start_ready <= !rst && places;
    end
  end

  // What the next word is taken from: chosen at the boundary, kept for the rest of the pass.
  wire logic from_feedback = boundary ? s_feedback_tvalid : from_feedback_q;
  wire logic from_input = boundary ? !s_feedback_tvalid && admit : !from_feedback_q;

  wire logic ready = body_ready && (!boundary || start_ready);
  assign s_feedback_tready = ready && from_feedback;
  assign s_axis_tready = ready && from_input;

  // A word is taken from either side, and it starts a pass: from as few signals as possible, as both have a long way to go.
  wire logic start_now = start_ready && (s_feedback_tvalid || (s_axis_tvalid && admit));
  wire logic go_on = from_feedback_q ? s_feedback_tvalid : s_axis_tvalid;
  wire logic take = body_ready && (boundary ? start_now : go_on);
  wire logic start = body_ready && boundary && start_now;
  wire logic [ITERATION_WIDTH-1:0] iteration = from_feedback ? next_iteration : '0;
  wire logic last_pass = iteration == LAST_ITERATION;

  assign m_token_tvalid = start;
  assign m_token_tdata = last_pass;

  always_ff @(posedge clk) begin
    if (start) from_feedback_q <= from_feedback;
  end

  /* verilator lint_off PINCONNECTEMPTY */
  ode_loop_word_counter #(.WORDS_PER_FRAME(WORDS_PER_FRAME)) position (
      .clk,
      .rst,
      .step(take),
      .first(boundary),
      .frame_end()
  );

  // One place more than frames, so that a frame can leave and come again in one cycle.
  stream_queue #(
      .DATA_WIDTH(ITERATION_WIDTH),
      .DEPTH(FRAMES_IN_FLIGHT + 1)
  ) returning_frames (
      .clk,
      .rst,
      .s_axis_tdata(iteration + 1'b1),
      .s_axis_tvalid(start && !last_pass),
      .s_axis_tready(returning_ready),
      .m_axis_tdata(next_iteration),
      .m_axis_tvalid(returning_valid),
      .m_axis_tready(start && from_feedback),
      .level(returning)
  );

  stream_queue #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(2)
  ) to_body (
      .clk,
      .rst,
      .s_axis_tdata(from_feedback ? s_feedback_tdata : s_axis_tdata),
      .s_axis_tvalid(take),
      .s_axis_tready(body_ready),
      .m_axis_tdata(m_body_tdata),
      .m_axis_tvalid(m_body_tvalid),
      .m_axis_tready(m_body_tready),
      .level()
  );

  if (NUM_INDEX > 0) begin : gen_index
    for (genvar i = 0; i < NUM_INDEX; i++) begin : gen_stream
      stream_queue #(
          .DATA_WIDTH(INDEX_WIDTH),
          .DEPTH(FRAMES_IN_FLIGHT + 1)
      ) queue (
          .clk,
          .rst,
          .s_axis_tdata(INDEX_WIDTH'(iteration)),
          .s_axis_tvalid(start),
          .s_axis_tready(index_ready[i]),
          .m_axis_tdata(m_index_tdata[i]),
          .m_axis_tvalid(m_index_tvalid[i]),
          .m_axis_tready(m_index_tready[i]),
          .level()
      );
    end
  end else begin : gen_no_index
    assign index_ready = '1;
    assign m_index_tdata = '0;
    assign m_index_tvalid = '0;
    wire logic unused = &m_index_tready;
  end
  /* verilator lint_on PINCONNECTEMPTY */

`ifndef SYNTHESIS
  always_ff @(posedge clk) begin
    if (!rst) begin
      assert (!s_feedback_tvalid || returning_valid || !boundary)
      else $error("%m: a frame comes back that never went in: the body gives more words than it takes!");
      assert (returning <= RETURNING_WIDTH'(FRAMES_IN_FLIGHT))
      else $error("%m: more frames come back than the feedback FIFO holds: the loop will lose data!");
    end
  end
`endif

endmodule

`default_nettype wire
