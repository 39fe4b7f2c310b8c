/// A DSP48E2 with its registers, pre-adder, cascade and adder of 48 bits, after UG579. Anything else stops the simulation.
module DSP48E2 #(
    parameter ACASCREG = 1, parameter ADREG = 1, parameter A_INPUT = "DIRECT", parameter ALUMODEREG = 1,
    parameter AREG = 1, parameter BCASCREG = 1, parameter B_INPUT = "DIRECT", parameter BREG = 1,
    parameter CARRYINREG = 1, parameter CARRYINSELREG = 1, parameter CREG = 1, parameter DREG = 1,
    parameter INMODEREG = 1, parameter MREG = 1, parameter OPMODEREG = 1, parameter PREG = 1,
    parameter USE_MULT = "MULTIPLY", parameter USE_SIMD = "ONE48", parameter AMULTSEL = "A", parameter BMULTSEL = "B",
    parameter PREADDINSEL = "A", parameter [47:0] RND = 48'd0,
    parameter AUTORESET_PATDET = "NO_RESET", parameter AUTORESET_PRIORITY = "RESET", parameter SEL_MASK = "MASK",
    parameter SEL_PATTERN = "PATTERN", parameter USE_PATTERN_DETECT = "NO_PATDET", parameter USE_WIDEXOR = "FALSE",
    parameter XORSIMD = "XOR24_48_96", parameter [47:0] MASK = 48'h3fffffffffff, parameter [47:0] PATTERN = 48'd0,
    parameter [3:0] IS_ALUMODE_INVERTED = 0, parameter IS_CARRYIN_INVERTED = 0, parameter IS_CLK_INVERTED = 0,
    parameter [4:0] IS_INMODE_INVERTED = 0, parameter [8:0] IS_OPMODE_INVERTED = 0,
    parameter IS_RSTA_INVERTED = 0, parameter IS_RSTB_INVERTED = 0, parameter IS_RSTC_INVERTED = 0,
    parameter IS_RSTD_INVERTED = 0, parameter IS_RSTM_INVERTED = 0, parameter IS_RSTP_INVERTED = 0,
    parameter IS_RSTCTRL_INVERTED = 0, parameter IS_RSTALUMODE_INVERTED = 0, parameter IS_RSTALLCARRYIN_INVERTED = 0,
    parameter IS_RSTINMODE_INVERTED = 0
) (
    input CLK, input [29:0] A, input [17:0] B, input [47:0] C, input [26:0] D, output [47:0] P, output [47:0] PCOUT,
    input [4:0] INMODE, input [3:0] ALUMODE, input [8:0] OPMODE, input [2:0] CARRYINSEL, input CARRYIN,
    input [29:0] ACIN, input [17:0] BCIN, input [47:0] PCIN, input CARRYCASCIN, input MULTSIGNIN,
    input CEA1, input CEA2, input CEB1, input CEB2, input CEC, input CED, input CEAD, input CEM, input CEP,
    input CECTRL, input CEALUMODE, input CECARRYIN, input CEINMODE,
    input RSTA, input RSTB, input RSTC, input RSTD, input RSTM, input RSTP, input RSTCTRL, input RSTALUMODE,
    input RSTALLCARRYIN, input RSTINMODE,
    output [29:0] ACOUT, output [17:0] BCOUT, output CARRYCASCOUT, output [3:0] CARRYOUT, output MULTSIGNOUT,
    output OVERFLOW, output PATTERNBDETECT, output PATTERNDETECT, output UNDERFLOW, output [7:0] XOROUT
);
  localparam [1:0] W_P = 2'b01, W_RND = 2'b10, W_C = 2'b11;
  localparam [2:0] Z_PCIN = 3'b001, Z_P = 3'b010, Z_C = 3'b011;
  localparam [3:0] XY_NONE = 4'b0000, XY_MULTIPLY = 4'b0101, XY_C = 4'b1100;

  reg [29:0] a1_q, a2_q;
  reg [17:0] b1_q, b2_q;
  reg [47:0] c_q, p_q;
  reg [26:0] d_q, ad_q;
  reg signed [44:0] m_q;
  reg [4:0] inmode_q;
  reg [3:0] alumode_q;
  reg [8:0] opmode_q;

  initial {a1_q, a2_q, b1_q, b2_q, c_q, p_q, d_q, ad_q, m_q, inmode_q, alumode_q, opmode_q} = 0;

  wire [29:0] a2 = AREG == 0 ? A : a2_q;
  wire [17:0] b2 = BREG == 0 ? B : b2_q;
  wire [47:0] c = CREG == 0 ? C : c_q;
  wire [26:0] d = DREG == 0 ? D : d_q;
  wire [4:0] inmode = INMODEREG == 0 ? INMODE : inmode_q;
  wire [3:0] alumode = ALUMODEREG == 0 ? ALUMODE : alumode_q;
  wire [8:0] opmode_pins = OPMODE ^ IS_OPMODE_INVERTED;
  wire [8:0] opmode = OPMODEREG == 0 ? opmode_pins : opmode_q;

  wire [26:0] from_a = inmode[1] ? 27'd0 : a2[26:0];
  wire [26:0] from_d = inmode[2] ? d : 27'd0;
  wire [26:0] sum_ad = inmode[3] ? from_d - from_a : from_d + from_a;
  wire [26:0] ad = ADREG == 0 ? sum_ad : ad_q;
  wire signed [26:0] factor = AMULTSEL == "AD" ? ad : from_a;
  wire signed [44:0] product = factor * $signed(b2);
  wire signed [44:0] m = MREG == 0 ? product : m_q;

  wire [47:0] xy = opmode[3:0] == XY_MULTIPLY ? {{3{m[44]}}, m} : opmode[3:0] == XY_C ? c : 48'd0;
  wire [47:0] z = opmode[6:4] == Z_PCIN ? PCIN : opmode[6:4] == Z_P ? p_q : opmode[6:4] == Z_C ? c : 48'd0;
  wire [47:0] w = opmode[8:7] == W_P ? p_q : opmode[8:7] == W_RND ? RND : opmode[8:7] == W_C ? c : 48'd0;
  wire [47:0] sum = alumode == 4'b0011 ? z - (w + xy) : z + w + xy;
  assign P = PREG == 0 ? sum : p_q;
  assign PCOUT = P;

  always @(posedge CLK) begin
    if (RSTA) a1_q <= 0; else if (CEA1) a1_q <= A;
    if (RSTA) a2_q <= 0; else if (CEA2) a2_q <= AREG == 2 ? a1_q : A;
    if (RSTB) b1_q <= 0; else if (CEB1) b1_q <= B;
    if (RSTB) b2_q <= 0; else if (CEB2) b2_q <= BREG == 2 ? b1_q : B;
    if (RSTC) c_q <= 0; else if (CEC) c_q <= C;
    if (RSTD) d_q <= 0; else if (CED) d_q <= D;
    if (RSTD) ad_q <= 0; else if (CEAD) ad_q <= sum_ad;
    if (RSTM) m_q <= 0; else if (CEM) m_q <= product;
    if (RSTP) p_q <= 0; else if (CEP) p_q <= sum;
    if (RSTINMODE) inmode_q <= 0; else if (CEINMODE) inmode_q <= INMODE;
    if (RSTALUMODE) alumode_q <= 0; else if (CEALUMODE) alumode_q <= ALUMODE;
    if (RSTCTRL) opmode_q <= 0; else if (CECTRL) opmode_q <= opmode_pins;
  end

`ifndef SYNTHESIS
  initial begin
    if (A_INPUT != "DIRECT" || B_INPUT != "DIRECT" || BMULTSEL != "B" || PREADDINSEL != "A" || USE_MULT != "MULTIPLY"
        || USE_SIMD != "ONE48") $fatal(1, "%m: this model has no cascades of A and B, no squares and no parts of an adder");
    if (IS_ALUMODE_INVERTED != 0 || IS_CARRYIN_INVERTED != 0 || IS_CLK_INVERTED != 0 || IS_INMODE_INVERTED != 0
        || IS_RSTA_INVERTED != 0 || IS_RSTB_INVERTED != 0 || IS_RSTC_INVERTED != 0
        || IS_RSTD_INVERTED != 0 || IS_RSTM_INVERTED != 0 || IS_RSTP_INVERTED != 0 || IS_RSTCTRL_INVERTED != 0
        || IS_RSTALUMODE_INVERTED != 0 || IS_RSTALLCARRYIN_INVERTED != 0 || IS_RSTINMODE_INVERTED != 0)
      $fatal(1, "%m: this model inverts OPMODE only");
  end
  always @(posedge CLK) begin
    if (!(opmode[3:0] == XY_NONE || opmode[3:0] == XY_MULTIPLY || opmode[3:0] == XY_C) || opmode[6:4] > Z_C
        || !(alumode == 4'b0000 || alumode == 4'b0011) || inmode[0] || inmode[4])
      $fatal(1, "%m: this model knows sums of product, C, P, PCIN and RND only");
  end
  always @* if (CARRYIN || CARRYINSEL != 0) $fatal(1, "%m: this model carries nothing in");
`endif

  assign {ACOUT, BCOUT, CARRYCASCOUT, CARRYOUT, MULTSIGNOUT} = 0;
  assign {OVERFLOW, PATTERNBDETECT, PATTERNDETECT, UNDERFLOW, XOROUT} = 0;
endmodule
