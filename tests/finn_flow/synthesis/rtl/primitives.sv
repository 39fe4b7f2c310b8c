// Instantiated primitives with parameters.
module primitives (
    input wire clk,
    input wire [5:0] a,
    output wire low,
    output wire high,
    output wire [47:0] p
);
  LUT6_2 #(.INIT(64'hDEADBEEF12345678)) lut (
      .I0(a[0]), .I1(a[1]), .I2(a[2]), .I3(a[3]), .I4(a[4]), .I5(a[5]), .O5(low), .O6(high)
  );
  DSP48E2 #(.AREG(2), .PREG(0), .AMULTSEL("AD"), .USE_SIMD("TWO24"), .RND(48'd3)) dsp (
      .CLK(clk), .A({24'd0, a}), .P(p)
  );
endmodule
