/// `fork_stream`: each output gives every word that went in, in order, each at its own pace; no output waits for another for
/// ever.
`default_nettype none

module fork_proof #(
    parameter int unsigned DATA_WIDTH = 1,
    parameter int unsigned N = 2
) (
    input wire logic                  clk,
    input wire logic                  rst,
    // Free in every cycle.
    input wire logic [DATA_WIDTH-1:0] s_tdata,
    input wire logic                  s_tvalid,
    input wire logic [N-1:0]          m_tready
);

  logic started_q = 1'b0;
  logic after_reset_q;
  always_ff @(posedge clk) begin
    started_q <= 1'b1;
    after_reset_q <= rst;
  end
  always_comb assume (started_q || rst);

  logic s_tready;
  logic [N-1:0][DATA_WIDTH-1:0] m_tdata;
  logic [N-1:0] m_tvalid, has_room;

  fork_stream #(
      .DATA_WIDTH(DATA_WIDTH),
      .N(N)
  ) dut (
      .clk, .rst, .s_axis_tdata(s_tdata), .s_axis_tvalid(s_tvalid), .s_axis_tready(s_tready),
      .m_axis_tdata(m_tdata), .m_axis_tvalid(m_tvalid), .m_axis_tready(m_tready));

  stream_source #(.DATA_WIDTH(DATA_WIDTH)) source (.clk, .rst, .tdata(s_tdata), .tvalid(s_tvalid), .tready(s_tready));

  for (genvar i = 0; i < N; i++) begin : gen_output
    logic [1:0] count;
    logic [1:0][DATA_WIDTH-1:0] words;
    stream_rules #(.DATA_WIDTH(DATA_WIDTH)) sink (
        .clk, .rst, .tdata(m_tdata[i]), .tvalid(m_tvalid[i]), .tready(m_tready[i]));
    ideal_queue #(
        .DATA_WIDTH(DATA_WIDTH),
        .DEPTH(2)
    ) queue (
        .clk, .rst, .push(s_tvalid && s_tready), .push_data(s_tdata), .pop(m_tvalid[i] && m_tready[i]), .count, .words);
    assign has_room[i] = count < 2'd2;
    always_comb begin
      if (!rst) begin
        assert (m_tvalid[i] == (count != '0));
        if (m_tvalid[i]) assert (m_tdata[i] == words[0]);
      end
    end
  end

  // A word is taken as soon as every output has room for it: an output that is full can be emptied without the others.
  always_comb begin
    if (!rst && !after_reset_q) assert (s_tready == &has_room);
  end

endmodule

`default_nettype wire
