/// Any body that keeps the contract of `ode_loop`: takes and gives words when it likes, holds as many as it likes.
///
/// A word is {passes that it went through, tag}; the body counts the passes. It takes the index words whenever it likes, but
/// gives no word of a pass before it has that pass's index, which must then be the number of passes before.
`default_nettype none

module any_body #(
    parameter int unsigned TAG_WIDTH = 1,
    parameter int unsigned PASS_WIDTH = 2,
    parameter int unsigned INDEX_WIDTH = 1,
    parameter int unsigned WORDS_PER_FRAME = 2,
    // Passes that may be inside: more than the loop starts, so that it is any number.
    parameter int unsigned PASSES = 3,
    localparam int unsigned DATA_WIDTH = PASS_WIDTH + TAG_WIDTH,
    localparam int unsigned DEPTH = PASSES * WORDS_PER_FRAME,
    localparam int unsigned COUNT_WIDTH = $clog2(DEPTH + 1),
    localparam int unsigned PASSES_WIDTH = $clog2(PASSES + 1),
    localparam int unsigned POSITION_WIDTH = $clog2(WORDS_PER_FRAME + 1)
) (
    input  wire logic                              clk,
    input  wire logic                              rst,
    // Whether it takes a word, gives one, takes an index word, if it can: free in every cycle.
    input  wire logic                              takes,
    input  wire logic                              gives,
    input  wire logic                              takes_index,
    input  wire logic [DATA_WIDTH-1:0]             s_tdata,
    input  wire logic                              s_tvalid,
    output logic                                   s_tready,
    input  wire logic [INDEX_WIDTH-1:0]            s_index_tdata,
    input  wire logic                              s_index_tvalid,
    output logic                                   s_index_tready,
    output logic [DATA_WIDTH-1:0]                  m_tdata,
    output logic                                   m_tvalid,
    input  wire logic                              m_tready,
    // Words inside, oldest first, and words of the oldest pass that it has given.
    output logic [COUNT_WIDTH-1:0]                 count,
    output logic [DEPTH-1:0][DATA_WIDTH-1:0]       words,
    output logic [POSITION_WIDTH-1:0]              given,
    // Index words of the passes inside.
    output logic [PASSES_WIDTH-1:0]                index_count,
    output logic [PASSES-1:0][INDEX_WIDTH-1:0]     indices,
    // It does all that the contract asks of it in this cycle.
    output logic                                   willing
);

  logic [POSITION_WIDTH-1:0] given_q;
  logic offered_q;

  wire logic can_give = count != '0 && index_count != '0;
  wire logic give = m_tvalid && m_tready;
  wire logic pass_ends = give && given_q == POSITION_WIDTH'(WORDS_PER_FRAME - 1);
  // A frame that is completely inside may not wait for anything but its index.
  wire logic complete = 32'(count) + 32'(given_q) >= WORDS_PER_FRAME;

  assign given = given_q;
  assign s_tready = takes && count < COUNT_WIDTH'(DEPTH);
  assign s_index_tready = takes_index && index_count < PASSES_WIDTH'(PASSES);
  assign m_tvalid = can_give && (gives || offered_q);
  assign m_tdata = {words[0][TAG_WIDTH+:PASS_WIDTH] + 1'b1, words[0][TAG_WIDTH-1:0]};
  assign willing = takes_index && (complete ? !can_give || m_tvalid : s_tready);

  ideal_queue #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(DEPTH)
  ) word_queue (
      .clk,
      .rst,
      .push(s_tvalid && s_tready),
      .push_data(s_tdata),
      .pop(give),
      .count,
      .words
  );

  ideal_queue #(
      .DATA_WIDTH(INDEX_WIDTH),
      .DEPTH(PASSES)
  ) index_queue (
      .clk,
      .rst,
      .push(s_index_tvalid && s_index_tready),
      .push_data(s_index_tdata),
      .pop(pass_ends),
      .count(index_count),
      .words(indices)
  );

  always_ff @(posedge clk) begin
    if (rst) begin
      given_q <= '0;
      offered_q <= 1'b0;
    end else begin
      if (give) given_q <= pass_ends ? '0 : given_q + 1'b1;
      offered_q <= m_tvalid && !m_tready;
    end
  end

  always_comb begin
    if (!rst && give) assert (PASS_WIDTH'(indices[0]) == words[0][TAG_WIDTH+:PASS_WIDTH]);
  end

endmodule

`default_nettype wire
