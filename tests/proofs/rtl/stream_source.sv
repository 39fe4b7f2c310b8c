/// Any source that keeps the rules of AXI4-Stream: offers words whenever it likes, and keeps each until it is taken.
`default_nettype none

module stream_source #(
    parameter int unsigned DATA_WIDTH = 1
) (
    input wire logic                  clk,
    input wire logic                  rst,
    input wire logic [DATA_WIDTH-1:0] tdata,
    input wire logic                  tvalid,
    input wire logic                  tready
);

  logic waiting_q = 1'b0;
  logic [DATA_WIDTH-1:0] data_q;

  always_ff @(posedge clk) begin
    waiting_q <= !rst && tvalid && !tready;
    data_q <= tdata;
  end

  always_comb begin
    if (waiting_q && !rst) assume (tvalid && tdata == data_q);
  end

endmodule

`default_nettype wire
