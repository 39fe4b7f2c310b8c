/// State after a solver step: clip(round_half_even(z / 2^j + increment / 2^k)), j = STATE_FRACTION_BITS and k = FRACTION_BITS,
/// computed exactly: the finer one of the two is what both are aligned to.
///
/// Latency       5 cycles: align and add, round, saturate, output FIFO (2).
/// Throughput    1 word per cycle.
/// Backpressure  a word of each input is taken together, so each TREADY depends on the other's TVALID and on registers; nothing
///               combinational from `m_axis_tready`.
/// Overflow      none inside; results beyond the state's range are saturated.
`default_nettype none

module ode_update #(
    // Elements per word, >= 1.
    parameter int unsigned PE = 2,
    // Bits and sign of the state.
    parameter int unsigned STATE_BITS = 8,
    parameter bit STATE_SIGNED = 1'b1,
    // Bits and sign of the increment.
    parameter int unsigned INCREMENT_BITS = 8,
    parameter bit INCREMENT_SIGNED = 1'b1,
    // Bits of the new state, signed if LOWEST < 0.
    parameter int unsigned OUTPUT_BITS = 8,
    // k: the increment's scale is the new state's divided by 2^k; -24 to 24.
    parameter int FRACTION_BITS = 3,
    // j: the state's scale is the new state's divided by 2^j; -24 to 24.
    parameter int STATE_FRACTION_BITS = 0,
    // Range of the new state.
    parameter int LOWEST = -128,
    parameter int HIGHEST = 127
) (
    input  wire logic                         clk,
    input  wire logic                         rst,
    input  wire logic [PE*STATE_BITS-1:0]     s_axis_state_tdata,
    input  wire logic                         s_axis_state_tvalid,
    output logic                              s_axis_state_tready,
    input  wire logic [PE*INCREMENT_BITS-1:0] s_axis_increment_tdata,
    input  wire logic                         s_axis_increment_tvalid,
    output logic                              s_axis_increment_tready,
    output logic [PE*OUTPUT_BITS-1:0]         m_axis_tdata,
    output logic                              m_axis_tvalid,
    input  wire logic                         m_axis_tready
);

  localparam int FINER = (FRACTION_BITS > STATE_FRACTION_BITS) ? FRACTION_BITS : STATE_FRACTION_BITS;
  localparam int unsigned FRACTION = (FINER > 0) ? FINER : 0;
  localparam int unsigned STATE_SHIFT = 32'(int'(FRACTION) - STATE_FRACTION_BITS);
  localparam int unsigned INCREMENT_SHIFT = 32'(int'(FRACTION) - FRACTION_BITS);
  localparam int unsigned STATE_ALIGNED = STATE_BITS + STATE_SHIFT;
  localparam int unsigned INCREMENT_ALIGNED = INCREMENT_BITS + INCREMENT_SHIFT;
  // One bit more for the sign of unsigned numbers and one for the carry.
  localparam int unsigned SUM_BITS = 2 + ((STATE_ALIGNED > INCREMENT_ALIGNED) ? STATE_ALIGNED : INCREMENT_ALIGNED);
  localparam int unsigned TOTAL_BITS = (SUM_BITS > OUTPUT_BITS + FRACTION) ? SUM_BITS : OUTPUT_BITS + FRACTION;
  localparam int unsigned ROUNDED_BITS = TOTAL_BITS - FRACTION + 1;
  localparam int unsigned LATENCY = 3;

  if (PE < 1) begin : gen_check_pe
    $fatal(1, "%m: PE must be at least 1");
  end
  if (STATE_BITS < 2 || STATE_BITS > 31 || INCREMENT_BITS < 2 || INCREMENT_BITS > 31) begin : gen_check_bits
    $fatal(1, "%m: STATE_BITS and INCREMENT_BITS must be 2 to 31, not %0d and %0d", STATE_BITS, INCREMENT_BITS);
  end
  if (OUTPUT_BITS < 2 || OUTPUT_BITS > 31) begin : gen_check_output
    $fatal(1, "%m: OUTPUT_BITS must be 2 to 31, not %0d", OUTPUT_BITS);
  end
  if (FRACTION_BITS > 24 || FRACTION_BITS < -24 || STATE_FRACTION_BITS > 24 || STATE_FRACTION_BITS < -24)
  begin : gen_check_fraction
    $fatal(1, "%m: FRACTION_BITS and STATE_FRACTION_BITS must be -24 to 24, not %0d and %0d",
        FRACTION_BITS, STATE_FRACTION_BITS);
  end

  logic credit;
  assign s_axis_state_tready = credit && s_axis_increment_tvalid;
  assign s_axis_increment_tready = credit && s_axis_state_tvalid;
  wire logic take = credit && s_axis_state_tvalid && s_axis_increment_tvalid;

  logic [LATENCY-1:0] take_q;
  always_ff @(posedge clk) take_q <= rst ? '0 : {take_q[LATENCY-2:0], take};

  logic [PE-1:0][OUTPUT_BITS-1:0] results_q;
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    wire logic [STATE_BITS-1:0] state = s_axis_state_tdata[p*STATE_BITS+:STATE_BITS];
    wire logic [INCREMENT_BITS-1:0] increment = s_axis_increment_tdata[p*INCREMENT_BITS+:INCREMENT_BITS];
    wire logic signed [TOTAL_BITS-1:0] wide_state =
        TOTAL_BITS'($signed({STATE_SIGNED && state[STATE_BITS-1], state}));
    wire logic signed [TOTAL_BITS-1:0] wide_increment =
        TOTAL_BITS'($signed({INCREMENT_SIGNED && increment[INCREMENT_BITS-1], increment}));

    logic signed [TOTAL_BITS-1:0] total_q;
    logic signed [ROUNDED_BITS-1:0] rounded_d, rounded_q;

    if (FRACTION > 0) begin : gen_round
      // Up by one if the rest is more than half, or half and the quotient odd.
      wire logic half = total_q[FRACTION-1];
      wire logic odd = total_q[FRACTION];
      logic more;
      if (FRACTION > 1) begin : gen_more
        assign more = |total_q[FRACTION-2:0];
      end else begin : gen_never_more
        assign more = 1'b0;
      end
      assign rounded_d = ROUNDED_BITS'($signed(total_q[TOTAL_BITS-1:FRACTION]))
          + ROUNDED_BITS'($signed({1'b0, half && (more || odd)}));
    end else begin : gen_exact
      assign rounded_d = ROUNDED_BITS'(total_q);
    end

    always_ff @(posedge clk) begin
      total_q <= (wide_state <<< STATE_SHIFT) + (wide_increment <<< INCREMENT_SHIFT);
      rounded_q <= rounded_d;
      results_q[p] <= (rounded_q > ROUNDED_BITS'(HIGHEST)) ? OUTPUT_BITS'(HIGHEST)
          : (rounded_q < ROUNDED_BITS'(LOWEST)) ? OUTPUT_BITS'(LOWEST) : OUTPUT_BITS'(rounded_q);
    end
  end

  credit_fifo #(
      .DATA_WIDTH(PE * OUTPUT_BITS),
      .DEPTH(LATENCY + 4)
  ) fifo (
      .reserve(take),
      .push(take_q[LATENCY-1]),
      .push_data(results_q),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(PE * STATE_BITS)
  ) check_state (
      .tdata(s_axis_state_tdata),
      .tvalid(s_axis_state_tvalid),
      .tready(s_axis_state_tready),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(PE * INCREMENT_BITS)
  ) check_increment (
      .tdata(s_axis_increment_tdata),
      .tvalid(s_axis_increment_tvalid),
      .tready(s_axis_increment_tready),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(PE * OUTPUT_BITS)
  ) check_output (
      .tdata(m_axis_tdata),
      .tvalid(m_axis_tvalid),
      .tready(m_axis_tready),
      .*
  );

endmodule

`default_nettype wire
