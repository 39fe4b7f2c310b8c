/// Looped stage around a synthetic body whose speed is set at run time, for tests and benchmarks.
///
/// The body is a pipeline that takes one word every `cycles_per_word` cycles and gives it `body_latency` cycles later (and
/// later still if the output is stalled; it then holds ceil(body_latency / cycles_per_word) + 1 words). Element by element,
/// z' = ((3 z + first index + 1) xor second index) modulo 2^ELEMENT_BITS, which no other order, number or index of passes
/// gives. It takes a word of its first index stream with the first word of a frame that goes in, and a word of the second
/// with the first word of that frame that comes out.
///
/// Streams   config: one word after reset, {spurious, cycles_per_word[14:0], body_latency[15:0]}, the two numbers at least 1;
///           frames go in after it. With `spurious` the body breaks its contract: it gives words that it never took.
///           in0_V, out0_V: frames.
`default_nettype none

module ode_loop_bench #(
    parameter int unsigned PE = 2,
    parameter int unsigned ELEMENT_BITS = 8,
    parameter int unsigned WORDS_PER_FRAME = 16,
    parameter int unsigned ITERATIONS = 4,
    parameter int unsigned FRAMES_IN_FLIGHT = 1,
    // Words that the body can hold: at least ceil(latency / cycles per word) + 1.
    parameter int unsigned BODY_WORDS = 1024,
    localparam int unsigned DATA_WIDTH = PE * ELEMENT_BITS
) (
    input  wire logic                   ap_clk,
    input  wire logic                   ap_rst_n,
    input  wire logic [31:0]            config_TDATA,
    input  wire logic                   config_TVALID,
    output logic                        config_TREADY,
    input  wire logic [DATA_WIDTH-1:0]  in0_V_TDATA,
    input  wire logic                   in0_V_TVALID,
    output logic                        in0_V_TREADY,
    output logic [DATA_WIDTH-1:0]       out0_V_TDATA,
    output logic                        out0_V_TVALID,
    input  wire logic                   out0_V_TREADY
);

  localparam int unsigned INDEX_WIDTH = $clog2(ITERATIONS);

  wire logic clk = ap_clk;
  wire logic rst = !ap_rst_n;

  logic [15:0] body_latency_q, capacity_q;
  logic [14:0] cycles_per_word_q;
  logic configured_q, spurious_q, core_ready;

  logic [DATA_WIDTH-1:0] to_body_tdata, from_body_tdata;
  logic to_body_tvalid, to_body_tready, from_body_tvalid, from_body_tready;
  logic [1:0][INDEX_WIDTH-1:0] index_tdata;
  logic [1:0] index_tvalid, index_tready;

  assign config_TREADY = !configured_q;
  assign in0_V_TREADY = configured_q && core_ready;

  always_ff @(posedge clk) begin
    if (rst) configured_q <= 1'b0;
    else if (config_TVALID && config_TREADY) begin
      configured_q <= 1'b1;
      {spurious_q, cycles_per_word_q, body_latency_q} <= config_TDATA;
      capacity_q <= (config_TDATA[15:0] + 16'(config_TDATA[30:16]) - 1'b1) / 16'(config_TDATA[30:16]) + 1'b1;
    end
  end

  ode_loop #(
      .DATA_WIDTH(DATA_WIDTH),
      .WORDS_PER_FRAME(WORDS_PER_FRAME),
      .ITERATIONS(ITERATIONS),
      .FRAMES_IN_FLIGHT(FRAMES_IN_FLIGHT),
      .NUM_INDEX(2)
  ) dut (
      .clk,
      .rst,
      .s_axis_tdata(in0_V_TDATA),
      .s_axis_tvalid(in0_V_TVALID && configured_q),
      .s_axis_tready(core_ready),
      .m_axis_tdata(out0_V_TDATA),
      .m_axis_tvalid(out0_V_TVALID),
      .m_axis_tready(out0_V_TREADY),
      .to_body_tdata,
      .to_body_tvalid,
      .to_body_tready,
      .from_body_tdata,
      .from_body_tvalid,
      .from_body_tready,
      .m_index_tdata(index_tdata),
      .m_index_tvalid(index_tvalid),
      .m_index_tready(index_tready)
  );

  // The body: words in the order of arrival, each with the cycle from which it may leave.
  typedef struct packed {
    logic [31:0] leaves_at;
    logic [DATA_WIDTH-1:0] data;
  } item_t;

  item_t items[BODY_WORDS];
  logic [$clog2(BODY_WORDS)-1:0] write_q, read_q;
  logic [15:0] inside_q;
  logic [31:0] cycle_q, next_take_q;
  logic [INDEX_WIDTH-1:0] index_in_q, index_out_q;
  logic first_in, first_out, unused_in, unused_out;

  wire logic take = to_body_tvalid && to_body_tready;
  wire logic [INDEX_WIDTH-1:0] index_in = first_in ? index_tdata[0] : index_in_q;
  wire logic [INDEX_WIDTH-1:0] index_out = first_out ? index_tdata[1] : index_out_q;

  assign to_body_tready = configured_q && cycle_q >= next_take_q && inside_q < capacity_q && (index_tvalid[0] || !first_in);
  wire logic leaves = inside_q != 0 && cycle_q >= items[read_q].leaves_at && (index_tvalid[1] || !first_out);
  wire logic give = leaves && from_body_tready;
  assign from_body_tvalid = leaves || (configured_q && spurious_q);
  assign index_tready[0] = take && first_in;
  assign index_tready[1] = give && first_out;

  always_comb begin
    for (int i = 0; i < PE; i++) begin
      from_body_tdata[i*ELEMENT_BITS+:ELEMENT_BITS] =
          items[read_q].data[i*ELEMENT_BITS+:ELEMENT_BITS] ^ ELEMENT_BITS'(index_out);
    end
  end

  always_ff @(posedge clk) begin
    if (take) begin
      items[write_q].leaves_at <= cycle_q + 32'(body_latency_q);
      for (int i = 0; i < PE; i++) begin
        items[write_q].data[i*ELEMENT_BITS+:ELEMENT_BITS] <=
            ELEMENT_BITS'(3) * to_body_tdata[i*ELEMENT_BITS+:ELEMENT_BITS] + ELEMENT_BITS'(index_in) + 1'b1;
      end
      if (first_in) index_in_q <= index_tdata[0];
    end
    if (give && first_out) index_out_q <= index_tdata[1];
    if (rst) begin
      write_q <= '0;
      read_q <= '0;
      inside_q <= '0;
      cycle_q <= '0;
      next_take_q <= '0;
    end else begin
      cycle_q <= cycle_q + 1'b1;
      if (take) begin
        write_q <= (32'(write_q) == BODY_WORDS - 1) ? '0 : write_q + 1'b1;
        next_take_q <= cycle_q + 32'(cycles_per_word_q);
      end
      if (give) read_q <= (32'(read_q) == BODY_WORDS - 1) ? '0 : read_q + 1'b1;
      inside_q <= inside_q + 16'(take) - 16'(give);
      assert (inside_q <= 16'(BODY_WORDS))
      else $error("the body holds more than BODY_WORDS words");
    end
  end

  ode_loop_word_counter #(.WORDS_PER_FRAME(WORDS_PER_FRAME)) position_in (
      .clk,
      .rst,
      .step(take),
      .first(first_in),
      .frame_end(unused_in)
  );
  ode_loop_word_counter #(.WORDS_PER_FRAME(WORDS_PER_FRAME)) position_out (
      .clk,
      .rst,
      .step(give),
      .first(first_out),
      .frame_end(unused_out)
  );
  wire logic unused = unused_in || unused_out;

endmodule

`default_nettype wire
