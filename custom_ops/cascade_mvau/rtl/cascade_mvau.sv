/// Matrix-vector product: PE outputs at a time, SIMD elements of a vector per cycle, summed along cascades of DSPs.
///
/// Function      word n of a vector's NF output words holds outputs n * PE to n * PE + PE - 1, each the sum of all
///               elements times their weights.
/// Latency       SIMD + 6 cycles from a vector's last input word to its first output word.
/// Throughput    1 vector in SF * NF cycles.
/// Backpressure  `s_axis_tready` is a register: a place in the output FIFO that is kept for the next word.
/// Overflow      none if OUT_BITS holds every sum.
/// Reset         in no data path: it clears what says that words are there.
`default_nettype none

module cascade_mvau #(
    // Outputs and elements at a time, >= 1.
    parameter int unsigned PE = 2,
    parameter int unsigned SIMD = 4,
    // Input words and output words of a vector, >= 1.
    parameter int unsigned SF = 2,
    parameter int unsigned NF = 2,
    // Bits of an element, and its sign.
    parameter int unsigned IN_BITS = 4,
    parameter bit IN_SIGNED = 1'b0,
    // Bits of a weight and of a sum, both signed.
    parameter int unsigned WEIGHT_BITS = 4,
    parameter int unsigned OUT_BITS = 12,
    // Products per DSP, 1 or 2; see cascade_sums.
    parameter int unsigned LANES = 2,
    // Weight of output p and element s in cycle b of a vector: number (s * SF * NF + b) * PE + p, lowest bits first.
    parameter logic [SIMD*SF*NF*PE*WEIGHT_BITS-1:0] WEIGHTS = '0
) (
    input  wire logic                    clk,
    input  wire logic                    rst,
    input  wire logic [SIMD*IN_BITS-1:0] s_axis_tdata,
    input  wire logic                    s_axis_tvalid,
    output logic                         s_axis_tready,
    output logic [PE*OUT_BITS-1:0]       m_axis_tdata,
    output logic                         m_axis_tvalid,
    input  wire logic                    m_axis_tready
);

  localparam int unsigned BEATS = SF * NF;
  localparam int unsigned BEAT_BITS = (BEATS > 1) ? $clog2(BEATS) : 1;
  localparam int unsigned FOLD_BITS = (SF > 1) ? $clog2(SF) : 1;
  localparam int unsigned LATENCY = SIMD + 4;
  localparam int unsigned WORD_BITS = SIMD * IN_BITS;

  if (PE < 1 || SIMD < 1 || SF < 1 || NF < 1) begin : gen_check_folding
    $fatal(1, "%m: PE, SIMD, SF and NF must be at least 1");
  end

  // held_q: there is a place for the current output word. ready_q: it is the vector's first as well, which takes words.
  logic credit, held_q, ready_q, repeat_q;
  logic [FOLD_BITS-1:0] fold_q;
  logic [BEAT_BITS-1:0] beat_q;

  wire logic last_fold = fold_q == FOLD_BITS'(SF - 1);
  wire logic last_beat = beat_q == BEAT_BITS'(BEATS - 1);
  wire logic step = ready_q ? s_axis_tvalid : held_q && repeat_q;
  wire logic finish = step && last_fold;
  wire logic reserve = credit && (!held_q || finish);
  wire logic held_next = reserve || (held_q && !finish);
  wire logic repeat_next = finish ? !last_beat : repeat_q;
  assign s_axis_tready = ready_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      held_q <= 1'b0;
      ready_q <= 1'b0;
      repeat_q <= 1'b0;
      fold_q <= '0;
      beat_q <= '0;
    end else begin
      held_q <= held_next;
      ready_q <= held_next && !repeat_next;
      repeat_q <= repeat_next;
      if (step) begin
        fold_q <= last_fold ? '0 : fold_q + 1'b1;
        beat_q <= last_beat ? '0 : beat_q + 1'b1;
      end
    end
  end

  // The vector's words for its further output words.
  logic [WORD_BITS-1:0] word;
  if (NF > 1 && SF > 1) begin : gen_repeat
    (* ram_style = "distributed" *)
    logic [WORD_BITS-1:0] vector[SF];
    always_ff @(posedge clk) begin
      if (ready_q && s_axis_tvalid) vector[fold_q] <= s_axis_tdata;
    end
    assign word = repeat_q ? vector[fold_q] : s_axis_tdata;
  end else if (NF > 1) begin : gen_keep
    logic [WORD_BITS-1:0] vector_q;
    always_ff @(posedge clk) begin
      if (ready_q && s_axis_tvalid) vector_q <= s_axis_tdata;
    end
    assign word = repeat_q ? vector_q : s_axis_tdata;
  end else begin : gen_once
    assign word = s_axis_tdata;
  end

  logic [WORD_BITS-1:0] word_q;
  logic [BEAT_BITS-1:0] address_q;
  logic first_q, step_q;
  logic [LATENCY-1:0] finish_q;
  always_ff @(posedge clk) begin
    word_q <= word;
    address_q <= beat_q;
    first_q <= fold_q == '0;
    step_q <= step;
    finish_q <= rst ? '0 : {finish_q[LATENCY-2:0], finish};
  end

  logic [PE*OUT_BITS-1:0] sums;
  cascade_sums #(
      .PE(PE),
      .SIMD(SIMD),
      .BEATS(BEATS),
      .ONE_STEP(SF == 1),
      .IN_BITS(IN_BITS),
      .IN_SIGNED(IN_SIGNED),
      .WEIGHT_BITS(WEIGHT_BITS),
      .OUT_BITS(OUT_BITS),
      .LANES(LANES),
      .WEIGHTS(WEIGHTS)
  ) cascades (
      .clk(clk),
      .data(word_q),
      .address(address_q),
      .first(first_q),
      .step(step_q),
      .sums(sums)
  );

  // A place is held for SF cycles.
  credit_fifo #(
      .DATA_WIDTH(PE * OUT_BITS),
      .DEPTH((LATENCY + 5) / SF + 2)
  ) fifo (
      .push(finish_q[LATENCY-1]),
      .push_data(sums),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(WORD_BITS)
  ) check_input (
      .tdata(s_axis_tdata),
      .tvalid(s_axis_tvalid),
      .tready(s_axis_tready),
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
