/// A DSP48E2 as the open flow uses it for a product of its own: no registers, P = A[26:0] * B, or that plus C. Anything else stops the simulation.
module DSP48E2 #(
    parameter ACASCREG = 1, parameter ADREG = 1, parameter A_INPUT = "DIRECT", parameter ALUMODEREG = 1,
    parameter AREG = 1, parameter BCASCREG = 1, parameter B_INPUT = "DIRECT", parameter BREG = 1,
    parameter CARRYINREG = 1, parameter CARRYINSELREG = 1, parameter CREG = 1, parameter DREG = 1,
    parameter INMODEREG = 1, parameter MREG = 1, parameter OPMODEREG = 1, parameter PREG = 1,
    parameter USE_MULT = "MULTIPLY", parameter USE_SIMD = "ONE48", parameter AMULTSEL = "A", parameter BMULTSEL = "B"
) (
    input [29:0] A, input [17:0] B, input [47:0] C, input [26:0] D, output [47:0] P,
    input [4:0] INMODE, input [3:0] ALUMODE, input [8:0] OPMODE, input [2:0] CARRYINSEL,
    input [29:0] ACIN, input [17:0] BCIN, input [47:0] PCIN, input CARRYIN
);
  localparam [8:0] MULTIPLY = 9'b000000101, MULTIPLY_ADD = 9'b000110101;
  wire signed [44:0] product = $signed(A[26:0]) * $signed(B);
  assign P = {{3{product[44]}}, product} + (OPMODE == MULTIPLY_ADD ? C : 48'd0);
  initial begin
    if (ACASCREG + ADREG + ALUMODEREG + AREG + BCASCREG + BREG + CARRYINREG + CARRYINSELREG + CREG + DREG + INMODEREG
        + MREG + OPMODEREG + PREG != 0) $fatal(1, "%m: this model has no registers");
    if (A_INPUT != "DIRECT" || B_INPUT != "DIRECT" || AMULTSEL != "A" || BMULTSEL != "B" || USE_MULT != "MULTIPLY"
        || USE_SIMD != "ONE48") $fatal(1, "%m: this model multiplies A and B only");
  end
  always @* begin
    if ((OPMODE != MULTIPLY && OPMODE != MULTIPLY_ADD) || ALUMODE != 0 || INMODE != 0 || CARRYIN != 0 || CARRYINSEL != 0)
      $fatal(1, "%m: this model only adds C to the product");
  end
endmodule
