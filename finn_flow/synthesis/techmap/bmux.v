// A multiplexer of words as one bit-select per bit: the form in which shift registers with a variable tap are found.
(* techmap_celltype = "$bmux" *)
module bmux_to_shiftx #(parameter WIDTH=1, parameter S_WIDTH=1)(input [(WIDTH<<S_WIDTH)-1:0] A, input [S_WIDTH-1:0] S, output [WIDTH-1:0] Y);
  genvar i, j;
  generate for (i=0;i<WIDTH;i=i+1) begin : lane
    wire [(1<<S_WIDTH)-1:0] column;
    for (j=0;j<(1<<S_WIDTH);j=j+1) begin : word
      assign column[j] = A[j*WIDTH+i];
    end
    \$shiftx #(.A_SIGNED(0), .B_SIGNED(0), .A_WIDTH(1<<S_WIDTH), .B_WIDTH(S_WIDTH), .Y_WIDTH(1)) pick (.A(column), .B(S), .Y(Y[i]));
  end endgenerate
endmodule
