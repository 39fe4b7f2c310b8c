/// The rule that `stream_checker` of the cores checks, said of registers, as induction needs it.
`default_nettype none

module stream_checker #(
    parameter int unsigned DATA_WIDTH = 8
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
    if (waiting_q && !rst) assert (tvalid && tdata == data_q);
  end

endmodule

`default_nettype wire
