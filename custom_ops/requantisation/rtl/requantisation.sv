/// Requantisation: clip((x * a + b) >> SHIFT) with a multiplier a and an offset b per channel; see requantisation_lane for the
/// exact rule. For parameters that change from frame to frame use `indexed_requantisation`.
///
/// Latency       MULTIPLY_CYCLES + 5 cycles, the output FIFO included.
/// Throughput    1 word per cycle.
/// Backpressure  `s_axis_tready` is a register: a place in the output FIFO that is kept for the next word.
/// Overflow      none inside; results beyond the limits are clipped.
/// Reset         in no data path: it clears what says that words are there.
`default_nettype none

module requantisation #(
    // Channels per word, >= 1.
    parameter int unsigned PE = 2,
    // Bits and sign of a value.
    parameter int unsigned IN_BITS = 8,
    parameter bit IN_SIGNED = 1'b1,
    // Bits of a multiplier (unsigned), of an offset and of a sum (both signed).
    parameter int unsigned MULTIPLIER_BITS = 6,
    parameter int unsigned OFFSET_BITS = 8,
    parameter int unsigned SUM_BITS = 16,
    // Bits of a sum that are dropped, and whether an exact odd quotient becomes even.
    parameter int unsigned SHIFT = 4,
    parameter bit TIES_TO_EVEN = 1'b0,
    // Least and greatest result, and its bits, signed if LOWEST < 0.
    parameter int LOWEST = -8,
    parameter int HIGHEST = 7,
    parameter int unsigned OUT_BITS = 4,
    // What multiplies: "yes" a DSP, "no" LUTs; 1 or 2 cycles, see requantisation_lane.
    parameter USE_DSP = "auto",
    parameter int unsigned MULTIPLY_CYCLES = 1,
    // Parameters, see requantisation_parameters.
    parameter logic [PE*(MULTIPLIER_BITS+OFFSET_BITS)-1:0] WORD = '0,
    parameter MEMORY_FILE = "",
    parameter ROM_STYLE = "auto",
    // Words after which parameters repeat (channel folds; 1 if all channels share theirs), >= 1.
    parameter int unsigned CF = 1
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [PE*IN_BITS-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [PE*OUT_BITS-1:0]      m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready
);

  localparam int unsigned FOLD_BITS = (CF > 1) ? $clog2(CF) : 1;

  logic [FOLD_BITS-1:0] fold_q;
  always_ff @(posedge clk) begin
    if (rst) begin
      fold_q <= '0;
    end else if (s_axis_tvalid && s_axis_tready) begin
      fold_q <= (fold_q == FOLD_BITS'(CF - 1)) ? '0 : fold_q + 1'b1;
    end
  end

  logic [PE*OUT_BITS-1:0] results;
  requantisation_lanes #(
      .PE(PE),
      .IN_BITS(IN_BITS),
      .IN_SIGNED(IN_SIGNED),
      .MULTIPLIER_BITS(MULTIPLIER_BITS),
      .OFFSET_BITS(OFFSET_BITS),
      .SUM_BITS(SUM_BITS),
      .SHIFT(SHIFT),
      .TIES_TO_EVEN(TIES_TO_EVEN),
      .LOWEST(LOWEST),
      .HIGHEST(HIGHEST),
      .OUT_BITS(OUT_BITS),
      .USE_DSP(USE_DSP),
      .MULTIPLY_CYCLES(MULTIPLY_CYCLES),
      .WORD(WORD),
      .MEMORY_FILE(MEMORY_FILE),
      .ROM_STYLE(ROM_STYLE),
      .DEPTH(CF)
  ) lanes (
      .clk(clk),
      .data(s_axis_tdata),
      .address(fold_q),
      .results(results)
  );

  stream_pipeline #(
      .DATA_WIDTH(PE * OUT_BITS),
      .LATENCY(MULTIPLY_CYCLES + 2)
  ) pipeline (
      .result(results),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(PE * IN_BITS)
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
