// A ROM with a registered output.
module rom #(parameter int WIDTH = 16, parameter int DEPTH = 1024, parameter RAM_STYLE = "block") (
    input logic clk,
    input logic [$clog2(DEPTH)-1:0] address,
    output logic [WIDTH-1:0] data
);
  (* ram_style = RAM_STYLE *)
  logic [WIDTH-1:0] memory[DEPTH];
  initial $readmemh("rom.dat", memory);
  always_ff @(posedge clk) data <= memory[address];
endmodule
