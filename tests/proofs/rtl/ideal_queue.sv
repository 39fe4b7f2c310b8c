/// An ideal queue: what a FIFO is. Words leave in the order in which they came; DEPTH of them fit.
///
/// The specification in the proofs of the FIFOs, and what stands for them in the proof of the looped stage.
`default_nettype none

module ideal_queue #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 1,
    // Words that it holds, >= 1.
    parameter int unsigned DEPTH = 2,
    localparam int unsigned COUNT_WIDTH = $clog2(DEPTH + 1)
) (
    input  wire logic                              clk,
    input  wire logic                              rst,
    input  wire logic                              push,
    input  wire logic [DATA_WIDTH-1:0]             push_data,
    input  wire logic                              pop,
    output logic [COUNT_WIDTH-1:0]                 count,
    // The oldest word is number 0.
    output logic [DEPTH-1:0][DATA_WIDTH-1:0]       words
);

  logic [COUNT_WIDTH-1:0] count_q;
  logic [DEPTH-1:0][DATA_WIDTH-1:0] words_q;

  assign count = count_q;
  assign words = words_q;

  always_ff @(posedge clk) begin
    if (rst) count_q <= '0;
    else count_q <= count_q + COUNT_WIDTH'(push) - COUNT_WIDTH'(pop);
    for (int i = 0; i < DEPTH; i++) begin
      if (pop && i + 1 < DEPTH) words_q[i] <= words_q[i+1];
      if (push && COUNT_WIDTH'(i) == count_q - COUNT_WIDTH'(pop)) words_q[i] <= push_data;
    end
  end

  // In every proof that uses it: nothing is put into a full queue or taken from an empty one.
  always_comb begin
    if (!rst) begin
      assert (!push || pop || count_q < COUNT_WIDTH'(DEPTH));
      assert (!pop || count_q != '0);
      assert (count_q <= COUNT_WIDTH'(DEPTH));
    end
  end

endmodule

`default_nettype wire
