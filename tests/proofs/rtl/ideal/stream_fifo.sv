/// What stands for `stream_fifo` in the proof of the looped stage: any FIFO that keeps what `fifo_proof` proves.
`default_nettype none

module stream_fifo #(
    parameter int unsigned DATA_WIDTH = 8,
    parameter int unsigned DEPTH = 16,
    parameter RAM_STYLE = "auto",
    localparam int unsigned LEVEL_WIDTH = $clog2(DEPTH + 1)
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [DATA_WIDTH-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [DATA_WIDTH-1:0]       m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready,
    output logic [LEVEL_WIDTH-1:0]      level
);

  // Cycles for which words may be inside and none be shown.
  localparam int unsigned HIDDEN = 2;

  logic [DEPTH-1:0][DATA_WIDTH-1:0] words;
  // Free in every cycle.
  (* anyseq *) logic shows, ready_after_reset;
  logic offered_q, after_reset_q;
  logic [1:0] hidden_q = '0;

  ideal_queue #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(DEPTH)
  ) queue (
      .clk,
      .rst,
      .push(s_axis_tvalid && s_axis_tready),
      .push_data(s_axis_tdata),
      .pop(m_axis_tvalid && m_axis_tready),
      .count(level),
      .words
  );

  assign s_axis_tready = level < LEVEL_WIDTH'(DEPTH) && !rst && (!after_reset_q || ready_after_reset);
  assign m_axis_tvalid = level != '0 && (shows || offered_q || hidden_q == 2'(HIDDEN));
  assign m_axis_tdata = words[0];

  always_ff @(posedge clk) begin
    after_reset_q <= rst;
    offered_q <= !rst && m_axis_tvalid && !m_axis_tready;
    hidden_q <= (rst || m_axis_tvalid || level == '0) ? '0 : hidden_q + 1'b1;
  end

  always_comb begin
    assert (hidden_q <= 2'(HIDDEN));
    if (offered_q && !rst) assert (level != '0);
  end

endmodule

`default_nettype wire
