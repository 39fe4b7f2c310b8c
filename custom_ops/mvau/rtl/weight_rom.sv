/// Read-only memory as a stream: gives its words in turn, from the first again after the last, for ever.
///
/// Function      word n of the output is word n modulo DEPTH of the memory. A memory of one word is a constant.
/// Latency       the first word is there 1 cycle after reset (at once for DEPTH 1).
/// Throughput    1 word per cycle, without a gap at the wrap.
/// Backpressure  a word stays until it is taken. `m_axis_tready` goes combinationally to the read enable of the memory only,
///               never to another handshake signal.
/// Overflow      impossible: nothing comes in.
`default_nettype none

module weight_rom #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Words, >= 1.
    parameter int unsigned DEPTH = 1,
    // The word, for DEPTH 1.
    parameter logic [DATA_WIDTH-1:0] WORD = '0,
    // File of the words in hexadecimal, for DEPTH > 1.
    parameter MEMORY_FILE = "",
    // Kind of memory: "auto", "distributed" (LUTs) or "block" (BRAM).
    /* verilator lint_off UNUSEDPARAM */  // read by synthesis only, in the attribute of the memory
    parameter ROM_STYLE = "auto"
    /* verilator lint_on UNUSEDPARAM */
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    output logic [DATA_WIDTH-1:0]      m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready
);

  if (DATA_WIDTH < 1) begin : gen_check_width
    $fatal(1, "%m: DATA_WIDTH must be at least 1");
  end
  if (DEPTH < 1) begin : gen_check_depth
    $fatal(1, "%m: DEPTH must be at least 1");
  end
  if (DEPTH > 1 && MEMORY_FILE == "") begin : gen_check_file
    $fatal(1, "%m: MEMORY_FILE must be given for DEPTH > 1");
  end

  if (DEPTH < 2) begin : gen_constant
    assign m_axis_tdata = WORD;
    assign m_axis_tvalid = !rst;
    wire logic unused = &{1'b0, clk, m_axis_tready};
  end else begin : gen_memory
    localparam int unsigned ADDRESS_WIDTH = $clog2(DEPTH);
    localparam logic [ADDRESS_WIDTH-1:0] LAST_ADDRESS = ADDRESS_WIDTH'(DEPTH - 1);

    (* rom_style = ROM_STYLE *)
    logic [DATA_WIDTH-1:0] memory[DEPTH];
    initial $readmemh(MEMORY_FILE, memory);

    logic [ADDRESS_WIDTH-1:0] address_q;
    logic [DATA_WIDTH-1:0] word_q;
    logic valid_q;

    wire logic read = m_axis_tready || !valid_q;

    always_ff @(posedge clk) begin
      if (read) word_q <= memory[address_q];
    end

    always_ff @(posedge clk) begin
      if (rst) begin
        address_q <= '0;
        valid_q <= 1'b0;
      end else begin
        valid_q <= 1'b1;
        if (read) address_q <= (address_q == LAST_ADDRESS) ? '0 : address_q + 1'b1;
      end
    end

    assign m_axis_tdata = word_q;
    assign m_axis_tvalid = valid_q;
    wire logic unused = &{1'b0, WORD};
  end

  stream_checker #(
      .DATA_WIDTH(DATA_WIDTH)
  ) check_output (
      .tdata(m_axis_tdata),
      .tvalid(m_axis_tvalid),
      .tready(m_axis_tready),
      .*
  );

endmodule

`default_nettype wire
