/// `ode_loop_split`: every word of a pass goes where its token says, in order; tokens are taken with a pass's last word.
`default_nettype none

module split_proof #(
    parameter int unsigned DATA_WIDTH = 1,
    parameter int unsigned WORDS_PER_FRAME = 2
) (
    input wire logic                  clk,
    input wire logic                  rst,
    // Free in every cycle, but that words come within passes only and `m_feedback` is always ready, as the loop's proof shows.
    input wire logic [DATA_WIDTH-1:0] body_tdata,
    input wire logic                  body_tvalid,
    input wire logic                  token_tdata,
    input wire logic                  token_tvalid,
    input wire logic                  m_tready
);

  logic started_q = 1'b0;
  logic after_reset_q;
  always_ff @(posedge clk) begin
    started_q <= 1'b1;
    after_reset_q <= rst;
  end
  always_comb assume (started_q || rst);
  always_comb assume (!body_tvalid || token_tvalid);

  logic body_tready, token_tready, m_tvalid, feedback_tvalid;
  logic [DATA_WIDTH-1:0] m_tdata, feedback_tdata;
  logic [1:0] count;
  logic [1:0][DATA_WIDTH-1:0] words;
  logic [$clog2(WORDS_PER_FRAME + 1)-1:0] position_q;

  ode_loop_split #(
      .DATA_WIDTH(DATA_WIDTH),
      .WORDS_PER_FRAME(WORDS_PER_FRAME)
  ) dut (
      .clk, .rst, .s_body_tdata(body_tdata), .s_body_tvalid(body_tvalid), .s_body_tready(body_tready),
      .s_token_tdata(token_tdata), .s_token_tvalid(token_tvalid), .s_token_tready(token_tready),
      .m_axis_tdata(m_tdata), .m_axis_tvalid(m_tvalid), .m_axis_tready(m_tready),
      .m_feedback_tdata(feedback_tdata), .m_feedback_tvalid(feedback_tvalid), .m_feedback_tready(1'b1));

  stream_source #(.DATA_WIDTH(DATA_WIDTH)) body (
      .clk, .rst, .tdata(body_tdata), .tvalid(body_tvalid), .tready(body_tready));
  stream_source #(.DATA_WIDTH(1)) token (
      .clk, .rst, .tdata(token_tdata), .tvalid(token_tvalid), .tready(token_tready));
  stream_rules #(.DATA_WIDTH(DATA_WIDTH)) sink (.clk, .rst, .tdata(m_tdata), .tvalid(m_tvalid), .tready(m_tready));

  wire logic take = body_tvalid && body_tready;
  wire logic last = position_q == WORDS_PER_FRAME - 1;
  ideal_queue #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(2)
  ) queue (
      .clk, .rst, .push(take && token_tdata), .push_data(body_tdata), .pop(m_tvalid && m_tready), .count, .words);

  always_ff @(posedge clk) begin
    if (rst) position_q <= '0;
    else if (take) position_q <= last ? '0 : position_q + 1'b1;
  end

  always_comb begin
    if (!rst) begin
      assert (m_tvalid == (count != '0));
      if (m_tvalid) assert (m_tdata == words[0]);
      assert (feedback_tvalid == (body_tvalid && token_tvalid && !token_tdata));
      if (feedback_tvalid) assert (feedback_tdata == body_tdata && body_tready);
      if (token_tvalid && token_tdata && !after_reset_q) assert (body_tready == (count < 2'd2));
      assert (token_tready == (take && last));
    end
  end

endmodule

`default_nettype wire
