/// Sums of SIMD products each, over one or more cycles, for PE outputs: one cascade of SIMD DSPs per LANES outputs.
///
/// Element s meets its DSP s cycles later than element 0, so that the sum of those before it arrives with its product.
/// With two lanes a DSP multiplies w0 + w1 * 2^OUT_BITS; the last DSP of a cascade accumulates and starts at
/// 2^(OUT_BITS-1), which keeps the lower sum from borrowing of the upper one.
///
/// Latency       SIMD + 3 cycles from the last step of a sum to `sums`.
/// Throughput    1 step per cycle; free-running, without handshake or reset.
/// Overflow      none if OUT_BITS holds every sum.
`default_nettype none

module cascade_sums #(
    // Outputs, elements per step, and steps until the weights repeat, >= 1.
    parameter int unsigned PE = 2,
    parameter int unsigned SIMD = 4,
    parameter int unsigned BEATS = 4,
    // 1: a sum takes one step.
    parameter bit ONE_STEP = 1'b0,
    // Bits of an element, and its sign.
    parameter int unsigned IN_BITS = 4,
    parameter bit IN_SIGNED = 1'b0,
    // Bits of a weight and of a sum, both signed.
    parameter int unsigned WEIGHT_BITS = 4,
    parameter int unsigned OUT_BITS = 12,
    // Products per DSP; 2 if WEIGHT_BITS + OUT_BITS <= 26 and OUT_BITS <= 24.
    parameter int unsigned LANES = 2,
    // Weight of output p and element s in step b: number (s * BEATS + b) * PE + p, from the lowest bits on.
    parameter logic [SIMD*BEATS*PE*WEIGHT_BITS-1:0] WEIGHTS = '0,
    // Derived: bits of an address.
    localparam int unsigned ADDRESS_BITS = (BEATS > 1) ? $clog2(BEATS) : 1
) (
    input  wire logic                    clk,
    input  wire logic [SIMD*IN_BITS-1:0] data,
    // Number of the step, whether it begins a sum, and whether there is one.
    input  wire logic [ADDRESS_BITS-1:0] address,
    input  wire logic                    first,
    input  wire logic                    step,
    output logic [PE*OUT_BITS-1:0]       sums
);

  if (LANES != 1 && LANES != 2) begin : gen_check_lanes
    $fatal(1, "%m: LANES must be 1 or 2, not %0d", LANES);
  end
  if (LANES == 2 && (WEIGHT_BITS + OUT_BITS > 26 || OUT_BITS > 24)) begin : gen_check_packing
    $fatal(1, "%m: two lanes need WEIGHT_BITS + OUT_BITS <= 26 and OUT_BITS <= 24");
  end
  if (IN_BITS + 32'(!IN_SIGNED) > 18 || WEIGHT_BITS > 27 || OUT_BITS > 48) begin : gen_check_dsp
    $fatal(1, "%m: the DSP multiplies 18 bits by 27 and sums up 48");
  end

`ifdef SYNTHESIS
  localparam int unsigned CASCADES = (PE + LANES - 1) / LANES;
  localparam int unsigned COLUMN_BITS = BEATS * PE * WEIGHT_BITS;

  // What reaches DSP s: everything s cycles later. `first` and `step` are for the last one only.
  logic [ADDRESS_BITS-1:0] address_at[SIMD];
  logic [IN_BITS-1:0] element_at[SIMD];
  assign address_at[0] = address;
  assign element_at[0] = data[IN_BITS-1:0];
  for (genvar s = 1; s < SIMD; s++) begin : gen_delay
    logic [IN_BITS-1:0] element_q[s];
    always_ff @(posedge clk) begin
      address_at[s] <= address_at[s-1];
      element_q[0] <= data[s*IN_BITS+:IN_BITS];
      for (int unsigned i = 1; i < s; i++) element_q[i] <= element_q[i-1];
    end
    assign element_at[s] = element_q[s-1];
  end

  logic [SIMD:0] first_q;
  logic [SIMD+1:0] step_q;
  always_ff @(posedge clk) begin
    first_q <= {first_q[SIMD-1:0], first};
    step_q <= {step_q[SIMD:0], step};
  end
  // Of the last DSP: `restart` 2 cycles and `enable` 3 cycles behind its factors.
  wire logic restart = ONE_STEP || first_q[SIMD];
  wire logic enable = ONE_STEP || step_q[SIMD+1];

  logic [47:0] chain[CASCADES][SIMD+1];
  for (genvar s = 0; s < SIMD; s++) begin : gen_element
    localparam bit LAST = s == SIMD - 1;
    logic [PE*WEIGHT_BITS-1:0] weights;
    if (BEATS == 1) begin : gen_constant
      assign weights = WEIGHTS[s*COLUMN_BITS+:COLUMN_BITS];
    end else begin : gen_memory
      (* rom_style = "distributed" *)
      logic [PE*WEIGHT_BITS-1:0] memory[BEATS];
      initial begin
        for (int unsigned b = 0; b < BEATS; b++) memory[b] = WEIGHTS[s*COLUMN_BITS+b*PE*WEIGHT_BITS+:PE*WEIGHT_BITS];
      end
      assign weights = memory[address_at[s]];
    end
    wire logic [17:0] element = {{(18 - IN_BITS) {IN_SIGNED && element_at[s][IN_BITS-1]}}, element_at[s]};
    for (genvar c = 0; c < CASCADES; c++) begin : gen_cascade
      localparam bit BOTH = LANES == 2 && c * LANES + 1 < PE;
      wire logic signed [WEIGHT_BITS-1:0] lower = weights[c*LANES*WEIGHT_BITS+:WEIGHT_BITS];
      wire logic signed [WEIGHT_BITS-1:0] upper = BOTH ? weights[(c*LANES+32'(BOTH))*WEIGHT_BITS+:WEIGHT_BITS] : '0;
      // Adder: W is P (01) or the constant (10), Z the cascade (001) or nothing, X and Y the product.
      wire logic [8:0] opmode = {LAST ? (restart ? 2'b10 : 2'b01) : 2'b00, (s == 0) ? 3'b000 : 3'b001, 4'b0101};
      logic [47:0] sum;
      DSP48E2 #(
          .AMULTSEL("AD"), .PREADDINSEL("A"), .RND(48'd1 << (OUT_BITS - 1)), .AREG(1), .ACASCREG(1), .DREG(1),
          .ADREG(1), .BREG(2), .BCASCREG(2), .CREG(0), .MREG(1), .PREG(1), .OPMODEREG(1), .ALUMODEREG(0),
          .CARRYINREG(0), .CARRYINSELREG(0), .INMODEREG(0)
      ) dsp (
          .CLK(clk), .A(30'(BOTH ? 27'(upper) << OUT_BITS : 27'd0)), .B(element), .C(48'd0), .D(27'(lower)),
          .PCIN(chain[c][s]), .P(sum), .PCOUT(chain[c][s+1]), .OPMODE(opmode), .INMODE(5'b00100), .ALUMODE(4'b0000),
          .CARRYIN(1'b0), .CARRYINSEL(3'b000), .CEA1(1'b0), .CEA2(1'b1), .CEB1(1'b1), .CEB2(1'b1), .CEC(1'b0),
          .CED(1'b1), .CEAD(1'b1), .CEM(1'b1), .CEP(LAST ? enable : 1'b1), .CECTRL(1'b1), .CEALUMODE(1'b0),
          .CECARRYIN(1'b0), .CEINMODE(1'b0), .RSTA(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTD(1'b0), .RSTM(1'b0),
          .RSTP(1'b0), .RSTCTRL(1'b0), .RSTALUMODE(1'b0), .RSTALLCARRYIN(1'b0), .RSTINMODE(1'b0), .ACIN(30'd0),
          .BCIN(18'd0), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0), .ACOUT(), .BCOUT(), .CARRYCASCOUT(), .CARRYOUT(),
          .MULTSIGNOUT(), .OVERFLOW(), .PATTERNBDETECT(), .PATTERNDETECT(), .UNDERFLOW(), .XOROUT()
      );
      if (LAST) begin : gen_result
        for (genvar l = 0; l < 1 + 32'(BOTH); l++) begin : gen_lane
          wire logic [OUT_BITS-1:0] lane = sum[l*OUT_BITS+:OUT_BITS];
          assign sums[(c*LANES+l)*OUT_BITS+:OUT_BITS] = {lane[OUT_BITS-1] ^ (l == 0), lane[OUT_BITS-2:0]};
        end
      end
    end
  end
  for (genvar c = 0; c < CASCADES; c++) begin : gen_start
    assign chain[c][0] = '0;
  end
`else
  // The same sums at the same time, without the cascades; tests hold both against each other.
  localparam int unsigned DELAY = SIMD + 2;
  logic signed [WEIGHT_BITS-1:0] weight[BEATS][SIMD][PE];
  initial begin
    for (int unsigned s = 0; s < SIMD; s++)
      for (int unsigned b = 0; b < BEATS; b++)
        for (int unsigned p = 0; p < PE; p++)
          weight[b][s][p] = WEIGHTS[((s*BEATS+b)*PE+p)*WEIGHT_BITS+:WEIGHT_BITS];
  end

  logic signed [OUT_BITS-1:0] sum_q[PE];
  logic [PE*OUT_BITS-1:0] packed_sums;
  always_ff @(posedge clk) begin
    if (step) begin
      for (int unsigned p = 0; p < PE; p++) begin : sum_up
        logic signed [OUT_BITS-1:0] sum;
        logic signed [IN_BITS:0] element;
        sum = (ONE_STEP || first) ? '0 : sum_q[p];
        for (int unsigned s = 0; s < SIMD; s++) begin
          element = $signed({IN_SIGNED && data[s*IN_BITS+IN_BITS-1], data[s*IN_BITS+:IN_BITS]});
          sum = sum + OUT_BITS'(element * weight[address][s][p]);
        end
        sum_q[p] <= sum;
      end
    end
  end
  for (genvar p = 0; p < PE; p++) begin : gen_pack
    assign packed_sums[p*OUT_BITS+:OUT_BITS] = sum_q[p];
  end

  // A ring instead of a shift register: one word moves per cycle.
  logic [PE*OUT_BITS-1:0] ring[DELAY];
  logic [$clog2(DELAY)-1:0] place_q;
  initial place_q = '0;
  always_ff @(posedge clk) begin
    ring[place_q] <= packed_sums;
    place_q <= (place_q == ($clog2(DELAY))'(DELAY - 1)) ? '0 : place_q + 1'b1;
  end
  assign sums = ring[place_q];
`endif

endmodule

`default_nettype wire
