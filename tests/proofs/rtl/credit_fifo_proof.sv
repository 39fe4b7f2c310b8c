/// `credit_fifo`: results that were reserved are never lost, whenever they come; their order is kept; credit comes back.
`default_nettype none

module credit_fifo_proof #(
    parameter int unsigned DATA_WIDTH = 1,
    parameter int unsigned DEPTH = 2,
    localparam int unsigned COUNT_WIDTH = $clog2(DEPTH + 2)
) (
    input wire logic                  clk,
    input wire logic                  rst,
    // Free in every cycle: whether a place is reserved where that may be done, whether a result comes that is due.
    input wire logic                  reserves,
    input wire logic                  pushes,
    input wire logic [DATA_WIDTH-1:0] push_data,
    input wire logic                  m_tready
);

  logic started_q = 1'b0;
  always_ff @(posedge clk) started_q <= 1'b1;
  always_comb assume (started_q || rst);

  logic credit, m_tvalid;
  logic [DATA_WIDTH-1:0] m_tdata;
  // Places reserved whose results have not come, and words inside.
  logic [COUNT_WIDTH-1:0] due_q, count;
  logic [DEPTH:0][DATA_WIDTH-1:0] words;
  logic [1:0] hidden_q, refused_q;

  wire logic reserve = reserves && credit && !rst;
  wire logic push = pushes && due_q != '0 && !rst;
  // The register in front of the output is a place more than DEPTH, but not one that is reserved.
  wire logic full = due_q + count >= COUNT_WIDTH'(DEPTH);

  credit_fifo #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(DEPTH)
  ) dut (
      .clk, .rst, .reserve, .credit, .push, .push_data,
      .m_axis_tdata(m_tdata), .m_axis_tvalid(m_tvalid), .m_axis_tready(m_tready));

  stream_rules #(.DATA_WIDTH(DATA_WIDTH)) sink (.clk, .rst, .tdata(m_tdata), .tvalid(m_tvalid), .tready(m_tready));
  ideal_queue #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(DEPTH + 1)
  ) queue (.clk, .rst, .push, .push_data, .pop(m_tvalid && m_tready), .count, .words);

  always_ff @(posedge clk) begin
    if (rst) due_q <= '0;
    else due_q <= due_q + COUNT_WIDTH'(reserve) - COUNT_WIDTH'(push);
    hidden_q <= (rst || m_tvalid || count == '0) ? '0 : hidden_q + 1'b1;
    refused_q <= (rst || credit || full) ? '0 : refused_q + 1'b1;
  end

  always_comb begin
    if (!rst) begin
      assert (due_q + count <= COUNT_WIDTH'(DEPTH));
      if (m_tvalid) assert (count != '0 && m_tdata == words[0]);
      // A word shows in the second cycle; credit is there as soon as there is a free place, or a cycle later.
      assert (hidden_q <= 2'd1 && refused_q <= 2'd1);
    end
  end

endmodule

`default_nettype wire
