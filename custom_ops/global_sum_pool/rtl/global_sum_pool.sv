/// Sum of all PIXELS of a frame, for each of CF*PE channels.
///
/// Partial sums of the CF channel folds go round in a ring: the fold that is due comes out, its pixel is added, it goes in again.
///
/// Latency       3 cycles from a fold's last pixel to its sum.
/// Cycles        PIXELS*CF per frame; frames follow without gap.
/// Backpressure  a frame's last pixel is only taken while there is room for its sums; the output FIFO holds those of a whole
///               frame, so that the next frame is taken while they wait. `s_axis_tready` comes from registers.
/// Overflow      none if OUT_BITS holds PIXELS times the input's range; otherwise sums wrap.
`default_nettype none

module global_sum_pool #(
    // Pixels per frame, >= 1.
    parameter int unsigned PIXELS = 4,
    // Words per pixel (channel folds), >= 1.
    parameter int unsigned CF = 2,
    // Channels per word, >= 1.
    parameter int unsigned PE = 2,
    // Bits and sign of an input.
    parameter int unsigned IN_BITS = 4,
    parameter bit IN_SIGNED = 1'b1,
    // Bits of a sum, >= IN_BITS.
    parameter int unsigned OUT_BITS = 6
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
  localparam int unsigned PIXEL_BITS = (PIXELS > 1) ? $clog2(PIXELS) : 1;

  if (PIXELS < 1 || CF < 1 || PE < 1) begin : gen_check_sizes
    $fatal(1, "%m: PIXELS, CF and PE must be at least 1, not %0d, %0d and %0d", PIXELS, CF, PE);
  end
  if (IN_BITS < 1 || OUT_BITS < IN_BITS) begin : gen_check_bits
    $fatal(1, "%m: OUT_BITS must be at least IN_BITS, not %0d with IN_BITS=%0d", OUT_BITS, IN_BITS);
  end

  logic [FOLD_BITS-1:0] fold_q;
  logic [PIXEL_BITS-1:0] pixel_q;
  logic last_pixel_q;
  logic credit;
  // Low during reset, so that the input waits then.
  logic awake_q;
  always_ff @(posedge clk) awake_q <= !rst;

  wire logic first_pixel = pixel_q == '0;
  wire logic last_fold = fold_q == FOLD_BITS'(CF - 1);

  assign s_axis_tready = awake_q && (credit || !last_pixel_q);
  wire logic take = s_axis_tvalid && s_axis_tready;

  always_ff @(posedge clk) begin
    if (rst) begin
      fold_q <= '0;
      pixel_q <= '0;
      last_pixel_q <= PIXELS == 1;
    end else if (take) begin
      fold_q <= last_fold ? '0 : fold_q + 1'b1;
      if (last_fold) begin
        pixel_q <= last_pixel_q ? '0 : pixel_q + 1'b1;
        last_pixel_q <= PIXELS == 1 || (!last_pixel_q && pixel_q == PIXEL_BITS'(PIXELS - 2));
      end
    end
  end

  // The newest sum at index 0; no reset, so that the ring maps to shift-register LUTs.
  logic [PE-1:0][OUT_BITS-1:0] ring_q[CF-1:0];
  always_ff @(posedge clk) begin
    if (take) begin
      for (int unsigned p = 0; p < PE; p++) begin
        automatic logic [IN_BITS-1:0] value = s_axis_tdata[p*IN_BITS+:IN_BITS];
        ring_q[0][p] <= (first_pixel ? '0 : ring_q[CF-1][p])
            + OUT_BITS'($signed({IN_SIGNED && value[IN_BITS-1], value}));
      end
      for (int unsigned i = 1; i < CF; i++) ring_q[i] <= ring_q[i-1];
    end
  end

  wire logic finish = take && last_pixel_q;
  logic finish_q;
  always_ff @(posedge clk) finish_q <= finish && !rst;

  credit_fifo #(
      .DATA_WIDTH(PE * OUT_BITS),
      .DEPTH((CF > 4) ? CF : 4)
  ) fifo (
      .reserve(finish),
      .push(finish_q),
      .push_data(ring_q[0]),
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
