/// Handshake of a pipeline that cannot stop and works by an index that comes once per frame: takes one index word per frame and
/// holds it (the next two may wait), counts the words of the frame, and keeps results in a FIFO until they are read.
///
/// Latency       LATENCY + 2 cycles from input to output.
/// Throughput    1 word per cycle, across frames too if their index words wait.
/// Backpressure  `s_axis_tready` and `s_axis_index_tready` are registers: a place in the output FIFO that is kept for the next
///               word, and a place in the index queue.
/// Overflow      impossible: no word is taken without a place.
/// Reset         in no data path: it clears what says that words are there.
`default_nettype none

module indexed_pipeline #(
    // Bits of a result, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Cycles from `take` to the result, >= 2.
    parameter int unsigned LATENCY = 3,
    // Words per frame, >= 1.
    parameter int unsigned WORDS = 4,
    // Words after which `fold` repeats, >= 1; divides WORDS.
    parameter int unsigned CF = 2,
    // Legal indices, >= 1.
    parameter int unsigned SETS = 3,
    // Derived: bits of an index and of a fold.
    localparam int unsigned INDEX_BITS = (SETS > 1) ? $clog2(SETS) : 1,
    localparam int unsigned FOLD_BITS = (CF > 1) ? $clog2(CF) : 1
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  s_axis_tvalid,
    output logic                       s_axis_tready,
    // One word per frame.
    input  wire logic [INDEX_BITS-1:0] s_axis_index_tdata,
    input  wire logic                  s_axis_index_tvalid,
    output logic                       s_axis_index_tready,
    // Of the word that is taken now: its frame's index, and its number modulo CF.
    output logic [INDEX_BITS-1:0]      index,
    output logic [FOLD_BITS-1:0]       fold,
    // Result of the word that was taken LATENCY cycles ago.
    input  wire logic [DATA_WIDTH-1:0] result,
    output logic [DATA_WIDTH-1:0]      m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready
);

  localparam int unsigned WORD_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;

  if (WORDS < 1 || CF < 1 || WORDS % CF != 0) begin : gen_check_sizes
    $fatal(1, "%m: WORDS and CF must be at least 1 and CF divide WORDS, not %0d and %0d", WORDS, CF);
  end
  if (SETS < 1) begin : gen_check_sets
    $fatal(1, "%m: SETS must be at least 1, not %0d", SETS);
  end

  // The index in use; those of the next frames wait.
  logic index_valid_d, index_valid_q, next_valid;
  logic [INDEX_BITS-1:0] index_q, next_index;
  logic [WORD_BITS-1:0] word_q;
  logic [FOLD_BITS-1:0] fold_q;
  // A place in the output FIFO for the next word.
  logic credit, place_d, place_q;
  logic ready_q;
  logic [LATENCY-1:0] take_q;

  wire logic take = s_axis_tvalid && ready_q;
  wire logic last_word = word_q == WORD_BITS'(WORDS - 1);
  wire logic advance = !index_valid_q || (take && last_word);
  wire logic reserve = credit && (!place_q || take);

  assign place_d = reserve || (place_q && !take);
  assign index_valid_d = advance ? next_valid : index_valid_q;
  assign s_axis_tready = ready_q;
  assign index = index_q;
  assign fold = fold_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      index_valid_q <= 1'b0;
      place_q <= 1'b0;
      ready_q <= 1'b0;
      word_q <= '0;
      fold_q <= '0;
      take_q <= '0;
    end else begin
      index_valid_q <= index_valid_d;
      place_q <= place_d;
      ready_q <= place_d && index_valid_d;
      if (take) begin
        word_q <= last_word ? '0 : word_q + 1'b1;
        fold_q <= (fold_q == FOLD_BITS'(CF - 1)) ? '0 : fold_q + 1'b1;
      end
      take_q <= {take_q[LATENCY-2:0], take};
    end
    if (advance) index_q <= next_index;
  end

  logic [1:0] unused_level;
  stream_queue #(
      .DATA_WIDTH(INDEX_BITS)
  ) indices (
      .s_axis_tdata(s_axis_index_tdata),
      .s_axis_tvalid(s_axis_index_tvalid),
      .s_axis_tready(s_axis_index_tready),
      .m_axis_tdata(next_index),
      .m_axis_tvalid(next_valid),
      .m_axis_tready(advance),
      .level(unused_level),
      .*
  );

`ifndef SYNTHESIS
  always_ff @(posedge clk) begin
    if (!rst && index_valid_q) begin
      assert (32'(index_q) < SETS)
      else $error("%m: index %0d has no set of parameters: outputs will be wrong!", index_q);
    end
  end
`endif

  credit_fifo #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(LATENCY + 5)
  ) fifo (
      .push(take_q[LATENCY-1]),
      .push_data(result),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(INDEX_BITS)
  ) check_index (
      .tdata(s_axis_index_tdata),
      .tvalid(s_axis_index_tvalid),
      .tready(s_axis_index_tready),
      .*
  );

endmodule

`default_nettype wire
