// A product and one addend in one DSP48E2: P = A*B + C, as Vivado infers it for use_dsp = "yes". A constant addend that
// Yosys has turned into a subtraction is turned back.
(* techmap_celltype = "$macc_v2" *)
module multiply_add (A, B, C, Y);
  parameter NPRODUCTS = 0;
  parameter NADDENDS = 0;
  // One product and one addend have one width each.
  parameter A_WIDTHS = 0;
  parameter B_WIDTHS = 0;
  parameter C_WIDTHS = 0;
  parameter PRODUCT_NEGATED = 0;
  parameter ADDEND_NEGATED = 0;
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter C_SIGNED = 0;
  parameter Y_WIDTH = 0;

  input [A_WIDTHS-1:0] A;
  input [B_WIDTHS-1:0] B;
  input [C_WIDTHS-1:0] C;
  output [Y_WIDTH-1:0] Y;

  localparam A_BITS = A_WIDTHS + !A_SIGNED;
  localparam B_BITS = B_WIDTHS + !B_SIGNED;
  localparam SWAP = A_BITS < B_BITS;
  wire _TECHMAP_FAIL_ = NPRODUCTS != 1 || NADDENDS != 1 || PRODUCT_NEGATED != 0 ||
      C_WIDTHS + !C_SIGNED > 48 || Y_WIDTH > 48 || (SWAP ? B_BITS : A_BITS) > 27 || (SWAP ? A_BITS : B_BITS) > 18;

  wire [26:0] a = {{27{A_SIGNED && A[A_WIDTHS-1]}}, A};
  wire [26:0] b = {{27{B_SIGNED && B[B_WIDTHS-1]}}, B};
  wire [47:0] addend = {{48{C_SIGNED && C[C_WIDTHS-1]}}, C};
  wire [47:0] c = ADDEND_NEGATED ? -addend : addend;
  wire [26:0] wide = SWAP ? b : a;
  wire [17:0] narrow = SWAP ? a : b;
  wire [47:0] p;
  assign Y = p;

  DSP48E2 #(
    .ACASCREG(0),
    .ADREG(0),
    .A_INPUT("DIRECT"),
    .ALUMODEREG(0),
    .AREG(0),
    .BCASCREG(0),
    .B_INPUT("DIRECT"),
    .BREG(0),
    .CARRYINREG(0),
    .CARRYINSELREG(0),
    .CREG(0),
    .DREG(0),
    .INMODEREG(0),
    .MREG(0),
    .OPMODEREG(0),
    .PREG(0),
    .USE_MULT("MULTIPLY"),
    .USE_SIMD("ONE48"),
    .AMULTSEL("A"),
    .BMULTSEL("B")
  ) _TECHMAP_REPLACE_ (
    .A({{3{wide[26]}}, wide}),
    .B(narrow),
    .C(c),
    .D(27'b0),
    .P(p),
    .INMODE(5'b00000),
    .ALUMODE(4'b0000),
    .OPMODE(9'b000110101),
    .CARRYINSEL(3'b000),
    .ACIN(30'b0),
    .BCIN(18'b0),
    .PCIN(48'b0),
    .CARRYIN(1'b0)
  );
endmodule
