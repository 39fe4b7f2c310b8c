/// A factor and an offset for each channel: x * factor + offset.
///
/// Latency       5 cycles: constants, product, sum, output FIFO (2).
/// Throughput    1 word per cycle.
/// Backpressure  `s_axis_tready` comes from a register; nothing combinational from `m_axis_tready`.
/// Overflow      none if OUT_BITS holds every result; otherwise results wrap.
`default_nettype none

module channel_affine #(
    // Words after which constants repeat (channel folds), >= 1.
    parameter int unsigned CF = 2,
    // Channels per word, >= 1.
    parameter int unsigned PE = 1,
    // Bits and sign of an input.
    parameter int unsigned IN_BITS = 12,
    parameter bit IN_SIGNED = 1'b1,
    // Bits of a factor and of an offset, signed.
    parameter int unsigned CONSTANT_BITS = 16,
    // Bits of a result, signed.
    parameter int unsigned OUT_BITS = 28,
    // File of constants: CF words of PE pairs, the factor in the lower half of a pair.
    parameter CONSTANT_FILE = "constants.dat"
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

  localparam int unsigned FOLD_BITS = (CF > 1) ? $clog2(CF) : 1;
  localparam int unsigned LATENCY = 3;

  if (CF < 1 || PE < 1) begin : gen_check_sizes
    $fatal(1, "%m: CF and PE must be at least 1, not %0d and %0d", CF, PE);
  end

  logic [LATENCY-1:0] take_q;
  logic [FOLD_BITS-1:0] fold_q;
  wire logic take = s_axis_tvalid && s_axis_tready;

  always_ff @(posedge clk) begin
    if (rst) begin
      take_q <= '0;
      fold_q <= '0;
    end else begin
      take_q <= {take_q[LATENCY-2:0], take};
      if (take) fold_q <= (fold_q == FOLD_BITS'(CF - 1)) ? '0 : fold_q + 1'b1;
    end
  end

  logic [PE-1:0][1:0][CONSTANT_BITS-1:0] rom[CF];
  initial $readmemh(CONSTANT_FILE, rom);

  logic [PE-1:0][1:0][CONSTANT_BITS-1:0] constants_1_q;
  logic [PE*IN_BITS-1:0] data_1_q;
  always_ff @(posedge clk) begin
    constants_1_q <= rom[fold_q];
    data_1_q <= s_axis_tdata;
  end

  logic [PE-1:0][OUT_BITS-1:0] results_q;
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    wire logic [IN_BITS-1:0] data = data_1_q[p*IN_BITS+:IN_BITS];
    logic signed [OUT_BITS-1:0] product_q, offset_q;
    always_ff @(posedge clk) begin
      product_q <= OUT_BITS'($signed({IN_SIGNED && data[IN_BITS-1], data}))
          * OUT_BITS'($signed(constants_1_q[p][0]));
      offset_q <= OUT_BITS'($signed(constants_1_q[p][1]));
      results_q[p] <= product_q + offset_q;
    end
  end

  credit_fifo #(
      .DATA_WIDTH(PE * OUT_BITS),
      .DEPTH(LATENCY + 4)
  ) fifo (
      .credit(s_axis_tready),
      .reserve(take),
      .push(take_q[LATENCY-1]),
      .push_data(results_q),
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
