/// Depthwise K x K convolution of frames of H x W pixels with CF*PE channels, zeros around the frame, all K*K taps of PE
/// channels at once.
///
/// y[i][j][c] = sum over u, v of x[i*S + u - K/2][j*S + v - K/2][c] * w[c][u][v]. Words run over channel folds, then columns,
/// then rows. The zeros cost no cycles: taps outside the frame are masked.
///
/// Latency       first output (K/2*W + K/2)*CF + 10 (K = 3) or + 11 (K = 5) cycles after the first word is taken. The last
///               outputs of a frame follow by themselves, whether or not another frame comes.
/// Cycles        H*W*CF per frame for either stride; frames follow without gap. (Input that pauses just while the first K/2
///               columns of row K/2 come in beside the frame before may cost up to K/2*CF cycles more.)
/// Backpressure  `s_axis_tready` comes from registers; results in flight have places reserved in the output FIFO.
/// Overflow      none if OUT_BITS holds every possible sum; otherwise sums wrap.
`default_nettype none

module depthwise_conv #(
    // Kernel size K, 3 or 5.
    parameter int unsigned K = 3,
    // Step of the outputs S, 1 or 2; the output has ceil(H/S) x ceil(W/S) pixels.
    parameter int unsigned STRIDE = 1,
    // Rows and columns of a frame, > K/2.
    parameter int unsigned H = 4,
    parameter int unsigned W = 4,
    // Words per pixel (channel folds), >= 1.
    parameter int unsigned CF = 1,
    // Channels per word, >= 1.
    parameter int unsigned PE = 2,
    // Bits and sign of an input, 1 to 12 bits.
    parameter int unsigned IN_BITS = 4,
    parameter bit IN_SIGNED = 1'b1,
    // Bits of a (signed) weight, 2 to 8.
    parameter int unsigned WEIGHT_BITS = 4,
    // Bits of an output (signed), >= 2.
    parameter int unsigned OUT_BITS = 12,
    // Weights of the only fold if CF = 1: channel by channel, row by row, from the least significant bits.
    parameter logic [PE*K*K*WEIGHT_BITS-1:0] WEIGHTS = '0,
    // Hexadecimal file of CF such words if CF > 1.
    parameter WEIGHT_FILE = "",
    // Kind of the line memories: "auto", "distributed" (LUTRAM), "block" (BRAM) or "ultra" (URAM).
    parameter RAM_STYLE = "auto",
    // Multipliers in DSPs: "auto", "yes" or "no".
    /* verilator lint_off UNUSEDPARAM */  // read by synthesis only, in an attribute
    parameter USE_DSP = "auto"
    /* verilator lint_on UNUSEDPARAM */
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

  localparam int unsigned TAPS = K * K;
  localparam int unsigned DATA_WIDTH = PE * IN_BITS;
  localparam int unsigned WORD_BITS = PE * TAPS * WEIGHT_BITS;
  localparam int unsigned PRODUCT_BITS = IN_BITS + WEIGHT_BITS;
  localparam int unsigned ADDRESS_BITS = $clog2(W * CF);
  localparam int unsigned FOLD_BITS = (CF > 1) ? $clog2(CF) : 1;
  localparam int unsigned PHASE_BITS = $clog2(K - 1);
  // From a step to its result: line memories, column, taps, product, adders.
  localparam int unsigned TAPS_LATENCY = 3;
  localparam int unsigned LATENCY = TAPS_LATENCY + 1 + $clog2(TAPS);

  if (PE < 1) begin : gen_check_pe
    $fatal(1, "%m: PE must be at least 1");
  end
  if (IN_BITS < 1 || IN_BITS > 12) begin : gen_check_in
    $fatal(1, "%m: IN_BITS must be 1 to 12, not %0d", IN_BITS);
  end
  if (WEIGHT_BITS < 2 || WEIGHT_BITS > 8) begin : gen_check_weight
    $fatal(1, "%m: WEIGHT_BITS must be 2 to 8, not %0d", WEIGHT_BITS);
  end
  if (OUT_BITS < 2) begin : gen_check_out
    $fatal(1, "%m: OUT_BITS must be at least 2, not %0d", OUT_BITS);
  end
  if (CF > 1 && WEIGHT_FILE == "") begin : gen_check_file
    $fatal(1, "%m: WEIGHT_FILE must be given for CF > 1");
  end

  logic credit, step, take, give, replay;
  logic [ADDRESS_BITS-1:0] write_address, read_address;
  logic [PHASE_BITS-1:0] write_phase, read_phase;
  logic [K-1:0] row_inside, column_inside;
  logic [FOLD_BITS-1:0] fold;
  logic [K-1:0][K-1:0][DATA_WIDTH-1:0] taps;

  depthwise_conv_control #(
      .K(K),
      .STRIDE(STRIDE),
      .H(H),
      .W(W),
      .CF(CF)
  ) control (
      .*
  );

  depthwise_conv_window #(
      .K(K),
      .W(W),
      .CF(CF),
      .DATA_WIDTH(DATA_WIDTH),
      .RAM_STYLE(RAM_STYLE)
  ) window (
      .data(s_axis_tdata),
      .*
  );

  // Which steps in flight give an output.
  logic [LATENCY-1:0] give_q;
  always_ff @(posedge clk) give_q <= rst ? '0 : {give_q[LATENCY-2:0], give};

  // Weights, in time with the taps.
  logic [PE-1:0][TAPS-1:0][WEIGHT_BITS-1:0] weights;
  if (CF == 1) begin : gen_constant_weights
    assign weights = WEIGHTS;
    wire logic unused = &{1'b0, fold};
  end else begin : gen_weight_memory
    logic [WORD_BITS-1:0] memory[CF];
    logic [WORD_BITS-1:0] word_q;
    logic [FOLD_BITS-1:0] fold_1_q, fold_2_q;
    initial $readmemh(WEIGHT_FILE, memory);
    always_ff @(posedge clk) begin
      fold_1_q <= fold;
      fold_2_q <= fold_1_q;
      word_q <= memory[fold_2_q];
    end
    assign weights = word_q;
    wire logic unused = &{1'b0, WEIGHTS};
  end

  logic [PE-1:0][OUT_BITS-1:0] sums;
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    (* use_dsp = USE_DSP *)
    logic [TAPS-1:0][PRODUCT_BITS-1:0] products_q;
    for (genvar t = 0; t < TAPS; t++) begin : gen_tap
      // One more bit makes unsigned inputs signed.
      wire logic [IN_BITS-1:0] value = taps[t/K][t%K][p*IN_BITS+:IN_BITS];
      wire logic signed [IN_BITS:0] factor = {IN_SIGNED && value[IN_BITS-1], value};
      always_ff @(posedge clk) products_q[t] <= PRODUCT_BITS'(factor * $signed(weights[p][t]));
    end
    adder_tree #(
        .N(TAPS),
        .TERM_BITS(PRODUCT_BITS),
        .SUM_BITS(OUT_BITS)
    ) tree (
        .clk(clk),
        .terms(products_q),
        .sum(sums[p])
    );
  end

  credit_fifo #(
      .DATA_WIDTH(PE * OUT_BITS),
      .DEPTH(LATENCY + 4)
  ) fifo (
      .reserve(give),
      .push(give_q[LATENCY-1]),
      .push_data(sums),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(DATA_WIDTH)
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
