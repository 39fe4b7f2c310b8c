/// Thresholding whose set of thresholds is chosen by the kind of each pixel; `indexed_thresholding` with one index for all frames.
///
/// Latency, cycles, backpressure, overflow   as `indexed_thresholding`.
`default_nettype none

module position_thresholding #(
    // As in `indexed_thresholding`.
    parameter int unsigned WORDS = 4,
    parameter int unsigned CF = 2,
    parameter int unsigned PE = 2,
    parameter int unsigned SETS = 2,
    parameter int unsigned KINDS = 2,
    parameter int unsigned PIXEL_WORDS = 2,
    parameter KIND_FILE = "kinds.dat",
    parameter int unsigned STEPS = 3,
    parameter int BIAS = 0,
    parameter int unsigned IN_BITS = 8,
    parameter bit IN_SIGNED = 1'b1,
    parameter int unsigned THRESHOLD_BITS = 8,
    parameter int unsigned OUT_BITS = 2,
    parameter THRESHOLD_FILES = "",
    parameter int unsigned DEPTH_TRIGGER_BRAM = 0
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

  logic unused_tready;
  wire logic unused = &{1'b0, unused_tready};

  indexed_thresholding #(
      .WORDS(WORDS),
      .CF(CF),
      .PE(PE),
      .SETS(SETS),
      .KINDS(KINDS),
      .PIXEL_WORDS(PIXEL_WORDS),
      .KIND_FILE(KIND_FILE),
      .STEPS(STEPS),
      .BIAS(BIAS),
      .IN_BITS(IN_BITS),
      .IN_SIGNED(IN_SIGNED),
      .THRESHOLD_BITS(THRESHOLD_BITS),
      .OUT_BITS(OUT_BITS),
      .THRESHOLD_FILES(THRESHOLD_FILES),
      .DEPTH_TRIGGER_BRAM(DEPTH_TRIGGER_BRAM)
  ) thresholds (
      .s_axis_index_tdata(1'b0),
      .s_axis_index_tvalid(1'b1),
      .s_axis_index_tready(unused_tready),
      .*
  );

endmodule

`default_nettype wire
