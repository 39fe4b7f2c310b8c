/// `stream_queue` and `stream_fifo` are queues: the same words in the same order, for any words and any DEPTH given; nothing
/// is lost, doubled or changed; there is room exactly while fewer than DEPTH words are inside; a word shows in time.
`default_nettype none

module fifo_proof #(
    // 0: stream_queue, 1: stream_fifo.
    parameter bit MEMORY = 0,
    parameter int unsigned DATA_WIDTH = 2,
    parameter int unsigned DEPTH = 2,
    localparam int unsigned LEVEL_WIDTH = $clog2(DEPTH + 1)
) (
    input wire logic                  clk,
    input wire logic                  rst,
    // Free in every cycle.
    input wire logic [DATA_WIDTH-1:0] s_tdata,
    input wire logic                  s_tvalid,
    input wire logic                  m_tready
);

  // Cycles for which words may be inside and none be shown.
  localparam int unsigned HIDDEN = MEMORY ? 2 : 0;

  logic started_q = 1'b0;
  logic after_reset_q;
  always_ff @(posedge clk) begin
    started_q <= 1'b1;
    after_reset_q <= rst;
  end
  always_comb assume (started_q || rst);

  logic s_tready, m_tvalid;
  logic [DATA_WIDTH-1:0] m_tdata;
  logic [LEVEL_WIDTH-1:0] level, count;
  logic [DEPTH-1:0][DATA_WIDTH-1:0] words;

  if (MEMORY) begin : gen_fifo
    stream_fifo #(
        .DATA_WIDTH(DATA_WIDTH),
        .DEPTH(DEPTH)
    ) dut (
        .clk, .rst, .s_axis_tdata(s_tdata), .s_axis_tvalid(s_tvalid), .s_axis_tready(s_tready),
        .m_axis_tdata(m_tdata), .m_axis_tvalid(m_tvalid), .m_axis_tready(m_tready), .level);
  end else begin : gen_queue
    stream_queue #(
        .DATA_WIDTH(DATA_WIDTH),
        .DEPTH(DEPTH)
    ) dut (
        .clk, .rst, .s_axis_tdata(s_tdata), .s_axis_tvalid(s_tvalid), .s_axis_tready(s_tready),
        .m_axis_tdata(m_tdata), .m_axis_tvalid(m_tvalid), .m_axis_tready(m_tready), .level);
  end

  stream_source #(.DATA_WIDTH(DATA_WIDTH)) source (.clk, .rst, .tdata(s_tdata), .tvalid(s_tvalid), .tready(s_tready));
  stream_rules #(.DATA_WIDTH(DATA_WIDTH)) sink (.clk, .rst, .tdata(m_tdata), .tvalid(m_tvalid), .tready(m_tready));
  ideal_queue #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(DEPTH)
  ) queue (
      .clk, .rst, .push(s_tvalid && s_tready), .push_data(s_tdata), .pop(m_tvalid && m_tready), .count, .words);

  logic [1:0] hidden_q;
  always_ff @(posedge clk) hidden_q <= (rst || m_tvalid || count == '0) ? '0 : hidden_q + 1'b1;

  always_comb begin
    if (!rst) begin
      assert (level == count);
      if (m_tvalid) assert (count != '0 && m_tdata == words[0]);
      if (s_tready) assert (count < LEVEL_WIDTH'(DEPTH));
      if (!after_reset_q) assert (s_tready == (count < LEVEL_WIDTH'(DEPTH)));
      assert (hidden_q <= 2'(HIDDEN));
      if (HIDDEN == 0) assert (m_tvalid == (count != '0));
      if (hidden_q == 2'(HIDDEN)) assert (m_tvalid || count == '0);
    end
  end

endmodule

`default_nettype wire
