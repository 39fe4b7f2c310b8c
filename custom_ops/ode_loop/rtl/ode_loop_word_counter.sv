/// Position in a frame: counts words and tells the first and the last one.
///
/// `first` comes from a register; `frame_end` is combinational in `step` and high in the cycle of a frame's last word.
`default_nettype none

module ode_loop_word_counter #(
    // Words of a frame, >= 1.
    parameter int unsigned WORDS_PER_FRAME = 64
) (
    input  wire logic  clk,
    input  wire logic  rst,
    // A word is transferred in this cycle.
    input  wire logic  step,
    // The next word transferred is the first of a frame.
    output logic       first,
    // The word transferred in this cycle is the last of a frame.
    output logic       frame_end
);

  if (WORDS_PER_FRAME < 1) begin : gen_check_words
    $fatal(1, "%m: WORDS_PER_FRAME must be at least 1");
  end

  if (WORDS_PER_FRAME == 1) begin : gen_single_word
    assign first = 1'b1;
    assign frame_end = step;
    wire logic unused = &{clk, rst};
  end else begin : gen_counter
    localparam int unsigned WIDTH = $clog2(WORDS_PER_FRAME);
    logic [WIDTH-1:0] word_q;
    logic first_q, last_q;

    assign first = first_q;
    assign frame_end = step && last_q;

    always_ff @(posedge clk) begin
      if (rst) begin
        word_q <= '0;
        first_q <= 1'b1;
        last_q <= 1'b0;
      end else if (step) begin
        word_q <= last_q ? '0 : word_q + 1'b1;
        first_q <= last_q;
        last_q <= !last_q && word_q == WIDTH'(WORDS_PER_FRAME - 2);
      end
    end
  end

endmodule

`default_nettype wire
