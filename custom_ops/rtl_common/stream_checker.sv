/// Simulation-time check of one AXI4-Stream handshake: an offered word stays until it is taken. Empty in synthesis.
///
/// Put it beside any stream of a core; a violation is reported by `$error` with the instance's path.
`default_nettype none

module stream_checker #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8
) (
    input wire logic                  clk,
    input wire logic                  rst,
    input wire logic [DATA_WIDTH-1:0] tdata,
    input wire logic                  tvalid,
    input wire logic                  tready
);

  if (DATA_WIDTH < 1) begin : gen_check_width
    $fatal(1, "%m: DATA_WIDTH must be at least 1");
  end

`ifndef SYNTHESIS
  logic waiting_q;
  logic [DATA_WIDTH-1:0] data_q;

  always_ff @(posedge clk) begin
    waiting_q <= !rst && tvalid && !tready;
    data_q <= tdata;
    if (!rst && waiting_q) begin
      assert (tvalid)
      else $error("%m: TVALID fell before TREADY: a word is lost!");
      assert (!tvalid || tdata == data_q)
      else $error("%m: TDATA changed before TREADY: a word is lost!");
    end
  end
`else
  // Synthesis sees a module that reads its inputs and drives nothing.
  wire logic unused = &{1'b0, clk, rst, tdata, tvalid, tready};
`endif

endmodule

`default_nettype wire
