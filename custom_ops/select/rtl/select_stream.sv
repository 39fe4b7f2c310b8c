/// One of two streams, chosen frame by frame. Takes one index word per frame, and one ahead.
///
/// Latency       1 cycle.
/// Cycles        WORDS per frame; frames follow without gap if the next index is waiting.
/// Backpressure  no word of a frame is taken before its index; a word of both inputs is taken together, so each TREADY
///               depends on the other's TVALID and on registers; nothing combinational from `m_axis_tready`.
/// Overflow      impossible through the handshake.
`default_nettype none

module select_stream #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Words per frame, >= 1.
    parameter int unsigned WORDS = 4,
    // Number of choices, >= 2.
    parameter int unsigned ITERATIONS = 2,
    // The choices: whether the first stream is given.
    parameter logic [ITERATIONS-1:0] FIRST = 2'b10,
    // Derived: bits of an index.
    localparam int unsigned INDEX_BITS = $clog2(ITERATIONS)
) (
    input  wire logic                        clk,
    input  wire logic                        rst,
    input  wire logic [1:0][DATA_WIDTH-1:0]  s_axis_tdata,
    input  wire logic [1:0]                  s_axis_tvalid,
    output logic [1:0]                       s_axis_tready,
    // One word per frame: the number of its choice.
    input  wire logic [INDEX_BITS-1:0]       s_axis_index_tdata,
    input  wire logic                        s_axis_index_tvalid,
    output logic                             s_axis_index_tready,
    output logic [DATA_WIDTH-1:0]            m_axis_tdata,
    output logic                             m_axis_tvalid,
    input  wire logic                        m_axis_tready
);

  localparam int unsigned WORD_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;

  if (DATA_WIDTH < 1 || WORDS < 1) begin : gen_check_sizes
    $fatal(1, "%m: DATA_WIDTH and WORDS must be at least 1, not %0d and %0d", DATA_WIDTH, WORDS);
  end
  if (ITERATIONS < 2) begin : gen_check_iterations
    $fatal(1, "%m: ITERATIONS must be at least 2, not %0d", ITERATIONS);
  end

  logic choice_valid, choice;
  logic room;
  logic [WORD_BITS-1:0] word_q;

  wire logic ready = room && choice_valid;
  wire logic take = ready && (&s_axis_tvalid);
  wire logic last_word = word_q == WORD_BITS'(WORDS - 1);
  assign s_axis_tready = {ready && s_axis_tvalid[0], ready && s_axis_tvalid[1]};

  always_ff @(posedge clk) begin
    if (rst) word_q <= '0;
    else if (take) word_q <= last_word ? '0 : word_q + 1'b1;
  end

  /* verilator lint_off PINCONNECTEMPTY */
  stream_queue #(
      .DATA_WIDTH(1),
      .DEPTH(2)
  ) choices (
      .clk(clk),
      .rst(rst),
      .s_axis_tdata(FIRST[s_axis_index_tdata]),
      .s_axis_tvalid(s_axis_index_tvalid),
      .s_axis_tready(s_axis_index_tready),
      .m_axis_tdata(choice),
      .m_axis_tvalid(choice_valid),
      .m_axis_tready(take && last_word),
      .level()
  );
  stream_queue #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(2)
  ) queue (
      .clk(clk),
      .rst(rst),
      .s_axis_tdata(choice ? s_axis_tdata[0] : s_axis_tdata[1]),
      .s_axis_tvalid(take),
      .s_axis_tready(room),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready),
      .level()
  );
  /* verilator lint_on PINCONNECTEMPTY */

  for (genvar i = 0; i < 2; i++) begin : gen_check
    stream_checker #(
        .DATA_WIDTH(DATA_WIDTH)
    ) check_input (
        .clk(clk),
        .rst(rst),
        .tdata(s_axis_tdata[i]),
        .tvalid(s_axis_tvalid[i]),
        .tready(s_axis_tready[i])
    );
  end

endmodule

`default_nettype wire
