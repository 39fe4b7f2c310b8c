/// One value per cycle: clip(floor((x * multiplier + offset) / 2^SHIFT), LOWEST, HIGHEST), before clipping 1 less where the
/// quotient is exact and odd if TIES_TO_EVEN.
///
/// Latency       MULTIPLY_CYCLES + 1 cycles from `x`, `multiplier` and `offset`, which come together.
/// Throughput    1 value per cycle; free-running, without handshake or reset.
/// Overflow      none if SUM_BITS holds every sum; results beyond the limits are clipped.
`default_nettype none

module requantisation_lane #(
    // Bits and sign of a value.
    parameter int unsigned IN_BITS = 8,
    parameter bit IN_SIGNED = 1'b1,
    // Bits of a multiplier (unsigned) and of an offset (signed).
    parameter int unsigned MULTIPLIER_BITS = 6,
    parameter int unsigned OFFSET_BITS = 8,
    // Bits of a sum (signed), >= OFFSET_BITS, IN_BITS + 1 and SHIFT + OUT_BITS + 1.
    parameter int unsigned SUM_BITS = 16,
    // Bits that are dropped, >= 0.
    parameter int unsigned SHIFT = 4,
    parameter bit TIES_TO_EVEN = 1'b0,
    // Least and greatest result.
    parameter int LOWEST = -8,
    parameter int HIGHEST = 7,
    // Bits of a result, signed if LOWEST < 0.
    parameter int unsigned OUT_BITS = 4,
    // What multiplies: "yes" a DSP, "no" LUTs, "auto" whatever synthesis prefers.
    /* verilator lint_off UNUSEDPARAM */  // read by synthesis only, in the attribute of the sum
    parameter USE_DSP = "auto",
    /* verilator lint_on UNUSEDPARAM */
    // 1: product and sum in one cycle, as a DSP does; 2: a register between them.
    parameter int unsigned MULTIPLY_CYCLES = 1
) (
    input  wire logic                          clk,
    input  wire logic [IN_BITS-1:0]            x,
    input  wire logic [MULTIPLIER_BITS-1:0]    multiplier,
    input  wire logic signed [OFFSET_BITS-1:0] offset,
    output logic [OUT_BITS-1:0]                result
);

  localparam int unsigned QUOTIENT_BITS = SUM_BITS - SHIFT;
  localparam bit OUT_SIGNED = LOWEST < 0;

  if (MULTIPLY_CYCLES != 1 && MULTIPLY_CYCLES != 2) begin : gen_check_cycles
    $fatal(1, "%m: MULTIPLY_CYCLES must be 1 or 2, not %0d", MULTIPLY_CYCLES);
  end
  if (SUM_BITS < OFFSET_BITS || SUM_BITS < IN_BITS + 1 || QUOTIENT_BITS < OUT_BITS + 1 || SUM_BITS < SHIFT) begin
    : gen_check_sum
    $fatal(1, "%m: SUM_BITS must hold offset, value and SHIFT + OUT_BITS + 1, not %0d", SUM_BITS);
  end
  if (LOWEST > HIGHEST || HIGHEST >= 2 ** (OUT_BITS - 32'(OUT_SIGNED)) || LOWEST < -(2 ** (OUT_BITS - 1))) begin
    : gen_check_out
    $fatal(1, "%m: OUT_BITS must hold LOWEST to HIGHEST, %0d to %0d, not %0d", LOWEST, HIGHEST, OUT_BITS);
  end

  wire logic signed [IN_BITS:0] factor = {IN_SIGNED && x[IN_BITS-1], x};
  wire logic signed [MULTIPLIER_BITS:0] times = {1'b0, multiplier};

  (* use_dsp = USE_DSP *)
  logic signed [SUM_BITS-1:0] sum_q;
  if (MULTIPLY_CYCLES == 1) begin : gen_at_once
    always_ff @(posedge clk) sum_q <= SUM_BITS'(factor * times) + SUM_BITS'(offset);
  end else begin : gen_registered
    (* use_dsp = USE_DSP *)
    logic signed [SUM_BITS-1:0] product_q;
    logic signed [OFFSET_BITS-1:0] offset_q;
    always_ff @(posedge clk) begin
      product_q <= SUM_BITS'(factor * times);
      offset_q <= offset;
      sum_q <= product_q + SUM_BITS'(offset_q);
    end
  end

  // An odd quotient without remainder loses its last bit.
  logic [QUOTIENT_BITS-1:0] quotient;
  assign quotient[QUOTIENT_BITS-1:1] = sum_q[SUM_BITS-1:SHIFT+1];
  if (TIES_TO_EVEN) begin : gen_even
    if (SHIFT > 0) begin : gen_remainder
      assign quotient[0] = sum_q[SHIFT] && sum_q[SHIFT-1:0] != '0;
    end else begin : gen_always_exact
      assign quotient[0] = 1'b0;
      wire logic unused = &{1'b0, sum_q[0]};
    end
  end else begin : gen_floor
    assign quotient[0] = sum_q[SHIFT];
    if (SHIFT > 0) begin : gen_remainder
      wire logic unused = &{1'b0, sum_q[SHIFT-1:0]};
    end
  end

  // The upper bits tell what is beyond the result's type; limits at the ends of the type leave nothing else to compare.
  wire logic negative = quotient[QUOTIENT_BITS-1];
  wire logic [QUOTIENT_BITS-1:OUT_BITS-32'(OUT_SIGNED)] upper = quotient[QUOTIENT_BITS-1:OUT_BITS-32'(OUT_SIGNED)];
  wire logic [OUT_BITS-1:0] code = quotient[OUT_BITS-1:0];
  logic below, above;
  /* verilator lint_off CMPCONST */
  /* verilator lint_off UNSIGNED */
  if (OUT_SIGNED) begin : gen_signed
    assign below = negative && (!(&upper) || $signed(code) < $signed(OUT_BITS'(LOWEST)));
    assign above = !negative && (upper != '0 || $signed(code) > $signed(OUT_BITS'(HIGHEST)));
  end else begin : gen_unsigned
    assign below = negative || (upper == '0 && code < OUT_BITS'(LOWEST));
    assign above = !negative && (upper != '0 || code > OUT_BITS'(HIGHEST));
  end
  /* verilator lint_on CMPCONST */
  /* verilator lint_on UNSIGNED */

  // No multiplexer: synthesis would make set and reset signals of each lane from it, which take more LUTs than they save.
  wire logic [OUT_BITS-1:0] clipped = ({OUT_BITS{!below && !above}} & code) | ({OUT_BITS{below}} & OUT_BITS'(LOWEST))
      | ({OUT_BITS{above}} & OUT_BITS'(HIGHEST));
  always_ff @(posedge clk) result <= clipped;

endmodule

`default_nettype wire
