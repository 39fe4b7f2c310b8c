/// The rules of AXI4-Stream at an output: a word that is offered stays as it is until it is taken, and none is offered
/// in the cycle after a reset.
`default_nettype none

module stream_rules #(
    parameter int unsigned DATA_WIDTH = 1
) (
    input wire logic                  clk,
    input wire logic                  rst,
    input wire logic [DATA_WIDTH-1:0] tdata,
    input wire logic                  tvalid,
    input wire logic                  tready
);

  logic waiting_q = 1'b0;
  logic after_reset_q = 1'b0;
  logic [DATA_WIDTH-1:0] data_q;

  always_ff @(posedge clk) begin
    waiting_q <= !rst && tvalid && !tready;
    after_reset_q <= rst;
    data_q <= tdata;
  end

  always_comb begin
    if (waiting_q && !rst) begin
      assert (tvalid);
      assert (tdata == data_q);
    end
    if (after_reset_q) assert (!tvalid);
  end

endmodule

`default_nettype wire
