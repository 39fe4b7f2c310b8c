/// Looped stage without its body: sends every frame through the body ITERATIONS times, the state staying on chip.
///
///            +-------+   +-------+                              +-------+
///   s_axis ->| input |-->| merge |-> to_body  (body)  from_body->| split |-> m_axis
///            +-------+   +-------+-> index streams              +-------+
///                            ^             +---------------+        |
///                            +-------------| feedback FIFO |<-------+
///                                          +---------------+
/// The loop is a wavefront: a pass starts as soon as the first word of the pass before it comes out of the body.
///
/// What the body must do: give WORDS_PER_FRAME words for WORDS_PER_FRAME words, in order, the k-th not before it took the
///   k-th; give all words of a frame without waiting for words of the next; take one word of each index stream per frame.
/// Cycles        A frame costs ITERATIONS x (body's initiation interval), with nothing added, if frames follow back to back
///               and FRAMES_IN_FLIGHT x (initiation interval) >= (body's latency, word in to same word out) + LOOP_LATENCY.
///               Alone, a pass costs the greater of the initiation interval and (body's latency + LOOP_LATENCY).
/// LOOP_LATENCY  4 cycles from a word on `from_body` to the same word on `to_body` (feedback FIFO 3, merge 1).
/// Latency       `s_axis` to `to_body` 4 cycles (input FIFO 3, merge 1), `from_body` to `m_axis` 1 cycle.
/// Backpressure  No combinational path from any TREADY input to any TREADY output. A stalled `m_axis` stalls the body.
/// Overflow      None. The merge admits a frame only if fewer than FRAMES_IN_FLIGHT others will come back and only after the
///               last word of the pass before it went in. A frame has at most WORDS_PER_FRAME words in the feedback FIFO (a
///               word enters only after the same word of the pass before has left), so FRAMES_IN_FLIGHT x WORDS_PER_FRAME
///               words are enough and `from_body` is always taken, except for a last pass while `m_axis` is stalled.
/// Deadlock      None. Words on `from_body` wait for `m_axis` alone. A pass of a frame that comes back needs only words that
///               the body gives by itself. A new frame holds up the merge only while nothing inside will come back, or when
///               it is completely buffered and so needs nobody. The input FIFO only ever waits for that admission.
`default_nettype none

module ode_loop #(
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
    // Memory of the feedback FIFO: "auto", "distributed", "block" or "ultra".
    parameter FEEDBACK_RAM_STYLE = "auto",
    // Memory of the input FIFO, likewise.
    parameter INPUT_RAM_STYLE = "auto",
    // Derived: index streams in the ports.
    localparam int unsigned INDEX_PORTS = (NUM_INDEX > 0) ? NUM_INDEX : 1
) (
    input  wire logic                                clk,
    input  wire logic                                rst,
    input  wire logic [DATA_WIDTH-1:0]               s_axis_tdata,
    input  wire logic                                s_axis_tvalid,
    output logic                                     s_axis_tready,
    output logic [DATA_WIDTH-1:0]                    m_axis_tdata,
    output logic                                     m_axis_tvalid,
    input  wire logic                                m_axis_tready,
    output logic [DATA_WIDTH-1:0]                    to_body_tdata,
    output logic                                     to_body_tvalid,
    input  wire logic                                to_body_tready,
    input  wire logic [DATA_WIDTH-1:0]               from_body_tdata,
    input  wire logic                                from_body_tvalid,
    output logic                                     from_body_tready,
    // One word per pass and stream: the iteration, 0 to ITERATIONS - 1.
    output logic [INDEX_PORTS-1:0][INDEX_WIDTH-1:0]  m_index_tdata,
    output logic [INDEX_PORTS-1:0]                   m_index_tvalid,
    input  wire logic [INDEX_PORTS-1:0]              m_index_tready
);

  logic [DATA_WIDTH-1:0] new_tdata, feedback_tdata, returned_tdata;
  logic new_tvalid, new_tready, feedback_tvalid, feedback_tready, returned_tvalid, returned_tready;
  logic started_tdata, started_tvalid, started_tready, pass_tdata, pass_tvalid, pass_tready;
  logic frame_buffered_next;

  ode_loop_input #(
      .DATA_WIDTH(DATA_WIDTH),
      .WORDS_PER_FRAME(WORDS_PER_FRAME),
      .RAM_STYLE(INPUT_RAM_STYLE)
  ) input_fifo (
      .clk,
      .rst,
      .s_axis_tdata,
      .s_axis_tvalid,
      .s_axis_tready,
      .m_axis_tdata(new_tdata),
      .m_axis_tvalid(new_tvalid),
      .m_axis_tready(new_tready),
      .frame_buffered_next
  );

  ode_loop_merge #(
      .DATA_WIDTH(DATA_WIDTH),
      .WORDS_PER_FRAME(WORDS_PER_FRAME),
      .ITERATIONS(ITERATIONS),
      .FRAMES_IN_FLIGHT(FRAMES_IN_FLIGHT),
      .NUM_INDEX(NUM_INDEX),
      .INDEX_WIDTH(INDEX_WIDTH)
  ) merge (
      .clk,
      .rst,
      .s_axis_tdata(new_tdata),
      .s_axis_tvalid(new_tvalid),
      .s_axis_tready(new_tready),
      .frame_buffered_next,
      .s_feedback_tdata(returned_tdata),
      .s_feedback_tvalid(returned_tvalid),
      .s_feedback_tready(returned_tready),
      .m_body_tdata(to_body_tdata),
      .m_body_tvalid(to_body_tvalid),
      .m_body_tready(to_body_tready),
      .m_token_tdata(started_tdata),
      .m_token_tvalid(started_tvalid),
      .m_token_tready(started_tready),
      .m_index_tdata,
      .m_index_tvalid,
      .m_index_tready
  );

  // Passes in the body. While FRAMES_IN_FLIGHT frames are enough to keep it busy, at most FRAMES_IN_FLIGHT + 1 passes are
  // in it, plus the one that starts.
  /* verilator lint_off PINCONNECTEMPTY */
  stream_queue #(
      .DATA_WIDTH(1),
      .DEPTH(FRAMES_IN_FLIGHT + 2)
  ) passes (
      .clk,
      .rst,
      .s_axis_tdata(started_tdata),
      .s_axis_tvalid(started_tvalid),
      .s_axis_tready(started_tready),
      .m_axis_tdata(pass_tdata),
      .m_axis_tvalid(pass_tvalid),
      .m_axis_tready(pass_tready),
      .level()
  );

  ode_loop_split #(
      .DATA_WIDTH(DATA_WIDTH),
      .WORDS_PER_FRAME(WORDS_PER_FRAME)
  ) split (
      .clk,
      .rst,
      .s_body_tdata(from_body_tdata),
      .s_body_tvalid(from_body_tvalid),
      .s_body_tready(from_body_tready),
      .s_token_tdata(pass_tdata),
      .s_token_tvalid(pass_tvalid),
      .s_token_tready(pass_tready),
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready,
      .m_feedback_tdata(feedback_tdata),
      .m_feedback_tvalid(feedback_tvalid),
      .m_feedback_tready(feedback_tready)
  );

  stream_fifo #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(FRAMES_IN_FLIGHT * WORDS_PER_FRAME),
      .RAM_STYLE(FEEDBACK_RAM_STYLE)
  ) feedback_fifo (
      .clk,
      .rst,
      .s_axis_tdata(feedback_tdata),
      .s_axis_tvalid(feedback_tvalid),
      .s_axis_tready(feedback_tready),
      .m_axis_tdata(returned_tdata),
      .m_axis_tvalid(returned_tvalid),
      .m_axis_tready(returned_tready),
      .level()
  );
  /* verilator lint_on PINCONNECTEMPTY */

  stream_checker #(.DATA_WIDTH(DATA_WIDTH)) check_s_axis (
      .clk,
      .rst,
      .tdata(s_axis_tdata),
      .tvalid(s_axis_tvalid),
      .tready(s_axis_tready)
  );
  stream_checker #(.DATA_WIDTH(DATA_WIDTH)) check_m_axis (
      .clk,
      .rst,
      .tdata(m_axis_tdata),
      .tvalid(m_axis_tvalid),
      .tready(m_axis_tready)
  );
  stream_checker #(.DATA_WIDTH(DATA_WIDTH)) check_to_body (
      .clk,
      .rst,
      .tdata(to_body_tdata),
      .tvalid(to_body_tvalid),
      .tready(to_body_tready)
  );
  stream_checker #(.DATA_WIDTH(DATA_WIDTH)) check_from_body (
      .clk,
      .rst,
      .tdata(from_body_tdata),
      .tvalid(from_body_tvalid),
      .tready(from_body_tready)
  );

endmodule

`default_nettype wire
