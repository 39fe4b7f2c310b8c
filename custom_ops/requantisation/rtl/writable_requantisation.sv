/// As requantisation, with multipliers and offsets that can be written while it works; see writable_requantisation_lanes.
///
/// Latency, cycles, backpressure, overflow and reset are those of writable_indexed_requantisation with one set.
`default_nettype none

module writable_requantisation #(
    // Channels per word, >= 1.
    parameter int unsigned PE = 2,
    // Bits and sign of a value.
    parameter int unsigned IN_BITS = 8,
    parameter bit IN_SIGNED = 1'b1,
    // Bits of a multiplier (unsigned), of an offset and of a sum (both signed).
    parameter int unsigned MULTIPLIER_BITS = 6,
    parameter int unsigned OFFSET_BITS = 8,
    parameter int unsigned SUM_BITS = 16,
    // Bits of a sum that are dropped, and whether an exact odd quotient becomes even.
    parameter int unsigned SHIFT = 4,
    parameter bit TIES_TO_EVEN = 1'b0,
    // Least and greatest result, and its bits, signed if LOWEST < 0.
    parameter int LOWEST = -8,
    parameter int HIGHEST = 7,
    parameter int unsigned OUT_BITS = 4,
    // What multiplies: "yes" a DSP, "no" LUTs; 1 or 2 cycles, see requantisation_lane.
    parameter USE_DSP = "auto",
    parameter int unsigned MULTIPLY_CYCLES = 1,
    // Parameters, see writable_requantisation_lanes.
    parameter MEMORY_FILE = "parameters",
    parameter RAM_STYLE = "auto",
    parameter int unsigned BASE = 0,
    // Words per frame, >= 1.
    parameter int unsigned WORDS = 4,
    // Words after which parameters repeat (channel folds; 1 if all channels share theirs), >= 1; divides WORDS.
    parameter int unsigned CF = 2
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [PE*IN_BITS-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [PE*OUT_BITS-1:0]      m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready,
    input  wire logic [99:0]            parameters_in,
    output logic [73:0]                 parameters_out
);

  // Every frame has set 0. Its index is there from the first cycle after reset on, as a queue's would be.
  logic started_q, unused_ready;
  always_ff @(posedge clk) started_q <= !rst;
  wire logic unused = &{1'b0, unused_ready};

  writable_indexed_requantisation #(
      .PE(PE),
      .IN_BITS(IN_BITS),
      .IN_SIGNED(IN_SIGNED),
      .MULTIPLIER_BITS(MULTIPLIER_BITS),
      .OFFSET_BITS(OFFSET_BITS),
      .SUM_BITS(SUM_BITS),
      .SHIFT(SHIFT),
      .TIES_TO_EVEN(TIES_TO_EVEN),
      .LOWEST(LOWEST),
      .HIGHEST(HIGHEST),
      .OUT_BITS(OUT_BITS),
      .USE_DSP(USE_DSP),
      .MULTIPLY_CYCLES(MULTIPLY_CYCLES),
      .MEMORY_FILE(MEMORY_FILE),
      .RAM_STYLE(RAM_STYLE),
      .BASE(BASE),
      .WORDS(WORDS),
      .CF(CF),
      .SETS(1)
  ) indexed (
      .s_axis_index_tdata(1'b0),
      .s_axis_index_tvalid(started_q),
      .s_axis_index_tready(unused_ready),
      .*
  );

endmodule

`default_nettype wire
