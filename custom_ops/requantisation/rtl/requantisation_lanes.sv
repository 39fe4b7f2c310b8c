/// All lanes of a requantisation with their parameters: a word of values in, LATENCY cycles later their codes out.
///
/// Latency       MULTIPLY_CYCLES + 2 cycles: parameters, product and sum, clip.
/// Throughput    1 word per cycle; free-running, without handshake or reset.
`default_nettype none

module requantisation_lanes #(
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
    // Words of parameters, >= 1.
    parameter int unsigned DEPTH = 1,
    // Derived: bits of an address.
    localparam int unsigned ADDRESS_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1
) (
    input  wire logic                    clk,
    // Values, and the word of parameters that is theirs.
    input  wire logic [PE*IN_BITS-1:0]   data,
    input  wire logic [ADDRESS_BITS-1:0] address,
    output logic [PE*OUT_BITS-1:0]       results
);

  logic [PE*IN_BITS-1:0] data_q;
  always_ff @(posedge clk) data_q <= data;

  logic [PE-1:0][MULTIPLIER_BITS-1:0] multipliers;
  logic signed [PE-1:0][OFFSET_BITS-1:0] offsets;
  requantisation_parameters #(
      .PE(PE),
      .MULTIPLIER_BITS(MULTIPLIER_BITS),
      .OFFSET_BITS(OFFSET_BITS),
      .DEPTH(DEPTH),
      .WORD(WORD),
      .MEMORY_FILE(MEMORY_FILE),
      .ROM_STYLE(ROM_STYLE)
  ) parameters (
      .*
  );

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    requantisation_lane #(
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
        .MULTIPLY_CYCLES(MULTIPLY_CYCLES)
    ) lane (
        .clk(clk),
        .x(data_q[p*IN_BITS+:IN_BITS]),
        .multiplier(multipliers[p]),
        .offset(offsets[p]),
        .result(results[p*OUT_BITS+:OUT_BITS])
    );
  end

endmodule

`default_nettype wire
