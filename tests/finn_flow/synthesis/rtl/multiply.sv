// A product in a register, in a DSP or in LUTs as USE_DSP says.
module multiply #(parameter int BITS = 4, parameter USE_DSP = "auto") (
    input logic clk,
    input logic signed [BITS-1:0] a,
    input logic signed [BITS-1:0] b,
    output logic signed [2*BITS-1:0] product
);
  (* use_dsp = USE_DSP *)
  logic signed [2*BITS-1:0] product_q;
  always_ff @(posedge clk) product_q <= a * b;
  assign product = product_q;
endmodule
