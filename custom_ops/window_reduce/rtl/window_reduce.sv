/// Sliding windows reduced channel by channel: maximum, sum or weighted sum.
///
/// Latency       8 cycles from a window's last tap to its result: buffer (2), product, accumulation, output FIFO (2), and the
///               rest of the line that completes the window.
/// Cycles        max(OH*OW*KH*KW, H*W) * CF per frame; frames follow without gap.
/// Backpressure  `s_axis_tready` depends on registers only; nothing combinational from `m_axis_tready`.
/// Overflow      none if OUT_BITS holds every result; otherwise results wrap.
`default_nettype none

module window_reduce #(
    // Map: rows, columns, words per pixel (channel folds), channels per word, >= 1 each.
    parameter int unsigned H = 4,
    parameter int unsigned W = 4,
    parameter int unsigned CF = 1,
    parameter int unsigned PE = 1,
    // Windows: rows and columns, >= 1 each.
    parameter int unsigned OH = 4,
    parameter int unsigned OW = 4,
    // Kernel, stride and dilation, each by rows and columns, >= 1.
    parameter int unsigned KH = 3,
    parameter int unsigned KW = 3,
    parameter int unsigned SH = 1,
    parameter int unsigned SW = 1,
    parameter int unsigned DH = 1,
    parameter int unsigned DW = 1,
    // Padding above and to the left; below and to the right it follows from OH and OW.
    parameter int unsigned TOP = 1,
    parameter int unsigned LEFT = 1,
    // Lines in the buffer, >= DH * (KH - 1) + 1 + SH.
    parameter int unsigned LINES = 4,
    // 0: maximum, 1: sum, 2: weighted sum.
    parameter int unsigned KIND = 0,
    // Bits and sign of an input.
    parameter int unsigned IN_BITS = 4,
    parameter bit IN_SIGNED = 1'b0,
    // Bits of a weight, signed, and the file of weights: CF * KH * KW words of PE weights.
    /* verilator lint_off UNUSEDPARAM */  // for a weighted sum only
    parameter int unsigned WEIGHT_BITS = 4,
    parameter WEIGHT_FILE = "",
    /* verilator lint_on UNUSEDPARAM */
    // Bits of a result.
    parameter int unsigned OUT_BITS = 4,
    // Kind of memory of the line buffer: "auto", "distributed" (LUTRAM) or "block" (BRAM).
    parameter RAM_STYLE = "auto"
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [PE*IN_BITS-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [PE*OUT_BITS-1:0]      m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready
);

  localparam int unsigned TAPS = CF * KH * KW;
  localparam int unsigned TAP_BITS = (TAPS > 1) ? $clog2(TAPS) : 1;
  // One bit more for the sign of unsigned numbers.
  localparam int unsigned VALUE_BITS = 1 + ((OUT_BITS > IN_BITS) ? OUT_BITS : IN_BITS);
  typedef logic signed [VALUE_BITS-1:0] value_t;
  localparam value_t LOWEST = IN_SIGNED ? -VALUE_BITS'(2 ** (IN_BITS - 1)) : '0;

  if (PE < 1) begin : gen_check_pe
    $fatal(1, "%m: PE must be at least 1");
  end
  if (KIND > 2) begin : gen_check_kind
    $fatal(1, "%m: KIND must be 0, 1 or 2, not %0d", KIND);
  end

  logic credit, reserve;
  logic [PE*IN_BITS-1:0] tap_data;
  logic tap_valid, tap_inside, tap_first, tap_last;
  logic [TAP_BITS-1:0] next_tap_number;

  window_reader #(
      .H(H),
      .W(W),
      .CF(CF),
      .OH(OH),
      .OW(OW),
      .KH(KH),
      .KW(KW),
      .SH(SH),
      .SW(SW),
      .DH(DH),
      .DW(DW),
      .TOP(TOP),
      .LEFT(LEFT),
      .LINES(LINES),
      .DATA_WIDTH(PE * IN_BITS),
      .RAM_STYLE(RAM_STYLE)
  ) reader (
      .*
  );

  logic valid_1_q, first_1_q, last_1_q, done_q;
  always_ff @(posedge clk) begin
    valid_1_q <= tap_valid && !rst;
    first_1_q <= tap_first;
    last_1_q <= tap_last;
    done_q <= valid_1_q && last_1_q && !rst;
  end

  value_t [PE-1:0] factor;
  if (KIND == 2) begin : gen_weights
    logic [PE*WEIGHT_BITS-1:0] rom[TAPS];
    initial $readmemh(WEIGHT_FILE, rom);
    logic [PE*WEIGHT_BITS-1:0] weights_q;
    always_ff @(posedge clk) weights_q <= rom[next_tap_number];
    for (genvar p = 0; p < PE; p++) begin : gen_factor
      assign factor[p] = VALUE_BITS'($signed(weights_q[p*WEIGHT_BITS+:WEIGHT_BITS]));
    end
  end else begin : gen_no_weights
    for (genvar p = 0; p < PE; p++) begin : gen_factor
      assign factor[p] = VALUE_BITS'(1);
    end
    wire logic unused = &{1'b0, next_tap_number};
  end

  logic [PE-1:0][OUT_BITS-1:0] results;
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    wire logic [IN_BITS-1:0] data = tap_data[p*IN_BITS+:IN_BITS];
    wire value_t value = VALUE_BITS'($signed({IN_SIGNED && data[IN_BITS-1], data}));
    value_t value_1_q, total_q;
    if (KIND == 0) begin : gen_max
      always_ff @(posedge clk) begin
        value_1_q <= tap_inside ? value : LOWEST;
        if (valid_1_q && (first_1_q || value_1_q > total_q)) total_q <= value_1_q;
      end
    end else begin : gen_sum
      always_ff @(posedge clk) begin
        value_1_q <= tap_inside ? value * factor[p] : '0;
        if (valid_1_q) total_q <= (first_1_q ? '0 : total_q) + value_1_q;
      end
    end
    if (KIND == 0) begin : gen_no_factor
      wire logic unused = &{1'b0, factor[p]};
    end
    assign results[p] = total_q[OUT_BITS-1:0];
    wire logic unused_sign = &{1'b0, total_q[VALUE_BITS-1:OUT_BITS]};
  end

  credit_fifo #(
      .DATA_WIDTH(PE * OUT_BITS),
      .DEPTH(9)
  ) fifo (
      .push(done_q),
      .push_data(results),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(PE * IN_BITS)
  ) check_input (
      .tdata(s_axis_tdata),
      .tvalid(s_axis_tvalid),
      .tready(s_axis_tready),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(PE * OUT_BITS)
  ) check_output (
      .tdata(m_axis_tdata),
      .tvalid(m_axis_tvalid),
      .tready(m_axis_tready),
      .*
  );

endmodule

`default_nettype wire
