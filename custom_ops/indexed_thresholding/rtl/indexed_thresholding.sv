/// Thresholding whose set of thresholds is chosen frame by frame: BIAS + (number of thresholds of the set that are not larger
/// than the value), per channel. Takes one index word per frame, and one ahead; FINN's `thresholding` does the comparing.
/// Where thresholds differ between kinds of pixels too, the set is index * KINDS + kind; `position_thresholding` has kinds only.
///
/// Latency       2*M + 2 cycles, M = $clog2(STEPS + 1): FINN's deeply pipelined core.
/// Cycles        WORDS per frame; frames follow without gap if the next index is waiting.
/// Backpressure  no word of a frame is taken before its index. Both TREADY depend on registers alone.
/// Overflow      none: results fit OUT_BITS (checked at elaboration).
`default_nettype none

module indexed_thresholding #(
    // Words per frame, >= 1.
    parameter int unsigned WORDS = 4,
    // Words after which thresholds repeat (channel folds; 1 if all channels share theirs), >= 1; divides WORDS.
    parameter int unsigned CF = 2,
    // Channels per word, >= 1.
    parameter int unsigned PE = 2,
    // Number of sets, >= 2; a multiple of KINDS.
    parameter int unsigned SETS = 3,
    // Kinds of pixels, >= 1, the words of a pixel, and, for several kinds, the file with the kind of each pixel.
    parameter int unsigned KINDS = 1,
    parameter int unsigned PIXEL_WORDS = 1,
    /* verilator lint_off UNUSEDPARAM */  // for several kinds only
    parameter KIND_FILE = "",
    /* verilator lint_on UNUSEDPARAM */
    // Thresholds per channel, >= 1.
    parameter int unsigned STEPS = 3,
    // Output below the first threshold.
    parameter int BIAS = 0,
    // Bits and sign of an input.
    parameter int unsigned IN_BITS = 8,
    parameter bit IN_SIGNED = 1'b1,
    // Bits of a threshold, of the same sign, >= IN_BITS.
    parameter int unsigned THRESHOLD_BITS = 8,
    // Bits of an output, signed if BIAS < 0.
    parameter int unsigned OUT_BITS = 2,
    // Beginning of the threshold files' names, see FINN's `thresholding`.
    parameter THRESHOLD_FILES = "",
    // Memories of at least so many words are BRAM and smaller ones LUTs; 0 leaves all to synthesis.
    parameter int unsigned DEPTH_TRIGGER_BRAM = 0,
    // Derived: bits of an index.
    localparam int unsigned INDEX_BITS = (SETS > KINDS) ? $clog2(SETS / KINDS) : 1
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [PE*IN_BITS-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    // One word per frame: the number of its sets.
    input  wire logic [INDEX_BITS-1:0]  s_axis_index_tdata,
    input  wire logic                   s_axis_index_tvalid,
    output logic                        s_axis_index_tready,
    output logic [PE*OUT_BITS-1:0]      m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready
);

  localparam int unsigned WORD_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;
  localparam int unsigned SET_BITS = $clog2(SETS);
  localparam int LAST = BIAS + STEPS;
  // Bits of the core's results, by its own rule.
  localparam int unsigned RESULT_BITS =
      (BIAS >= 0) ? $clog2(LAST + 1) : 1 + $clog2((-BIAS >= LAST + 1) ? -BIAS : LAST + 1);

  if (WORDS < 1 || CF < 1 || PE < 1 || WORDS % CF != 0) begin : gen_check_sizes
    $fatal(1, "%m: WORDS, CF and PE must be at least 1 and CF divide WORDS, not %0d, %0d and %0d", WORDS, CF, PE);
  end
  if (SETS < 2) begin : gen_check_sets
    $fatal(1, "%m: SETS must be at least 2, not %0d", SETS);
  end
  if (KINDS < 1 || SETS % KINDS != 0 || PIXEL_WORDS < 1 || WORDS % PIXEL_WORDS != 0) begin : gen_check_kinds
    $fatal(1, "%m: KINDS must divide SETS and PIXEL_WORDS WORDS, not %0d with %0d and %0d with %0d",
        KINDS, SETS, PIXEL_WORDS, WORDS);
  end
  if (STEPS < 1) begin : gen_check_steps
    $fatal(1, "%m: STEPS must be at least 1");
  end
  if (THRESHOLD_BITS < IN_BITS) begin : gen_check_threshold
    $fatal(1, "%m: THRESHOLD_BITS must be at least IN_BITS, not %0d with IN_BITS=%0d", THRESHOLD_BITS, IN_BITS);
  end
  if (OUT_BITS < RESULT_BITS) begin : gen_check_out
    $fatal(1, "%m: OUT_BITS must hold %0d to %0d, not %0d", BIAS, LAST, OUT_BITS);
  end

  logic index_valid;
  logic [INDEX_BITS-1:0] index;
  logic [WORD_BITS-1:0] word_q;
  logic core_ready;

  wire logic last_word = word_q == WORD_BITS'(WORDS - 1);
  assign s_axis_tready = core_ready && index_valid;
  wire logic take = s_axis_tvalid && s_axis_tready;

  always_ff @(posedge clk) begin
    if (rst) word_q <= '0;
    else if (take) word_q <= last_word ? '0 : word_q + 1'b1;
  end

  /* verilator lint_off PINCONNECTEMPTY */
  stream_queue #(
      .DATA_WIDTH(INDEX_BITS),
      .DEPTH(2)
  ) indices (
      .clk,
      .rst,
      .s_axis_tdata(s_axis_index_tdata),
      .s_axis_tvalid(s_axis_index_tvalid),
      .s_axis_tready(s_axis_index_tready),
      .m_axis_tdata(index),
      .m_axis_tvalid(index_valid),
      .m_axis_tready(take && last_word),
      .level()
  );
  /* verilator lint_on PINCONNECTEMPTY */

  logic [SET_BITS-1:0] set;
  if (KINDS > 1) begin : gen_kinds
    localparam int unsigned PIXELS = WORDS / PIXEL_WORDS;
    localparam int unsigned PIXEL_BITS = (PIXELS > 1) ? $clog2(PIXELS) : 1;
    localparam int unsigned PLACE_BITS = (PIXEL_WORDS > 1) ? $clog2(PIXEL_WORDS) : 1;
    localparam int unsigned KIND_BITS = $clog2(KINDS);
    logic [KIND_BITS-1:0] rom[PIXELS];
    initial $readmemh(KIND_FILE, rom);
    logic [PIXEL_BITS-1:0] pixel_q;
    logic [PLACE_BITS-1:0] place_q;
    wire logic last_place = place_q == PLACE_BITS'(PIXEL_WORDS - 1);
    always_ff @(posedge clk) begin
      if (rst) begin
        pixel_q <= '0;
        place_q <= '0;
      end else if (take) begin
        place_q <= last_place ? '0 : place_q + 1'b1;
        if (last_place) pixel_q <= last_word ? '0 : pixel_q + 1'b1;
      end
    end
    assign set = SET_BITS'(index) * SET_BITS'(KINDS) + SET_BITS'(rom[pixel_q]);
  end else begin : gen_one_kind
    assign set = SET_BITS'(index);
  end

  logic [PE-1:0][THRESHOLD_BITS-1:0] values;
  logic [PE-1:0][RESULT_BITS-1:0] results;
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    wire logic [IN_BITS-1:0] value = s_axis_tdata[p*IN_BITS+:IN_BITS];
    assign values[p] = THRESHOLD_BITS'($signed({IN_SIGNED && value[IN_BITS-1], value}));
    assign m_axis_tdata[p*OUT_BITS+:OUT_BITS] =
        OUT_BITS'($signed({BIAS < 0 && results[p][RESULT_BITS-1], results[p]}));
  end

  // The core's configuration port is not used.
  logic unused_rack;
  logic [THRESHOLD_BITS-1:0] unused_threshold;
  wire logic unused = &{1'b0, unused_rack, unused_threshold};

  thresholding #(
      .K(THRESHOLD_BITS),
      .N(STEPS),
      .C(CF * PE),
      .PE(PE),
      .SIGNED(IN_SIGNED),
      .BIAS(BIAS),
      .SETS(SETS),
      .THRESHOLDS_PATH(THRESHOLD_FILES),
      .DEPTH_TRIGGER_BRAM(DEPTH_TRIGGER_BRAM),
      .USE_CONFIG(0),
      .DEEP_PIPELINE(1)
  ) core (
      .clk(clk),
      .rst(rst),
      .cfg_en(1'b0),
      .cfg_we(1'b0),
      .cfg_a('0),
      .cfg_d('0),
      .cfg_rack(unused_rack),
      .cfg_q(unused_threshold),
      .irdy(core_ready),
      .ivld(s_axis_tvalid && index_valid),
      .iset(set),
      .idat(values),
      .ordy(m_axis_tready),
      .ovld(m_axis_tvalid),
      .odat(results)
  );

`ifndef SYNTHESIS
  always_ff @(posedge clk) begin
    if (!rst && index_valid) begin
      assert (32'(index) < SETS / KINDS)
      else $error("%m: index %0d has no set of thresholds: outputs will be wrong!", index);
    end
  end
`endif

  stream_checker #(
      .DATA_WIDTH(PE * IN_BITS)
  ) check_input (
      .tdata(s_axis_tdata),
      .tvalid(s_axis_tvalid),
      .tready(s_axis_tready),
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

  stream_checker #(
      .DATA_WIDTH(PE * OUT_BITS)
  ) check_output (
      .tdata(m_axis_tdata),
      .tvalid(m_axis_tvalid),
      .tready(m_axis_tready),
      .*
  );

endmodule

`default_nettype wire
