/// Line memories and K x K window of a depthwise convolution, with zeros outside the frame.
///
/// Driven step by step by `depthwise_conv_control`. A step reads one column of K pixels (the last from the input), which
/// moves into the window; the window keeps K columns of each of the CF channel folds.
///
/// Latency       3 cycles from `step` to `taps`.
/// Throughput    1 step per cycle; no backpressure (the owner only steps when there is room for the result).
`default_nettype none

module depthwise_conv_window #(
    // Kernel size, 3 or 5.
    parameter int unsigned K = 3,
    // Columns of a frame.
    parameter int unsigned W = 4,
    // Words per pixel, >= 1.
    parameter int unsigned CF = 2,
    // Bits of a word: channels per word times bits of a channel.
    parameter int unsigned DATA_WIDTH = 8,
    // Kind of the line memories: "auto", "distributed" (LUTRAM), "block" (BRAM) or "ultra" (URAM).
    /* verilator lint_off UNUSEDPARAM */  // read by synthesis only, in the attribute of the memories
    parameter RAM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    // Derived, as in depthwise_conv_control.
    localparam int unsigned ADDRESS_BITS = $clog2(W * CF),
    localparam int unsigned PHASE_BITS = $clog2(K - 1)
) (
    input  wire logic                    clk,
    input  wire logic                    rst,
    input  wire logic [DATA_WIDTH-1:0]   data,
    // As given by depthwise_conv_control.
    input  wire logic                    step,
    input  wire logic                    take,
    input  wire logic [ADDRESS_BITS-1:0] write_address,
    input  wire logic [PHASE_BITS-1:0]   write_phase,
    input  wire logic [ADDRESS_BITS-1:0] read_address,
    input  wire logic [PHASE_BITS-1:0]   read_phase,
    input  wire logic [K-1:0]            row_inside,
    input  wire logic                    replay,
    input  wire logic [K-1:0]            column_inside,
    // Window, row by row.
    output logic [K-1:0][K-1:0][DATA_WIDTH-1:0] taps
);

  // Step in the line memories (1) and entering the window (2).
  logic step_1_q, step_2_q;
  logic take_1_q;
  logic replay_1_q;
  logic [DATA_WIDTH-1:0] data_1_q;
  logic [ADDRESS_BITS-1:0] write_address_1_q;
  logic [PHASE_BITS-1:0] write_phase_1_q, read_phase_1_q;
  logic [K-1:0] row_inside_1_q, column_inside_1_q, column_inside_2_q;

  always_ff @(posedge clk) begin
    step_1_q <= step && !rst;
    take_1_q <= take && !rst;
    step_2_q <= step_1_q && !rst;
    replay_1_q <= replay;
    data_1_q <= data;
    write_address_1_q <= write_address;
    write_phase_1_q <= write_phase;
    read_phase_1_q <= read_phase;
    row_inside_1_q <= row_inside;
    column_inside_1_q <= column_inside;
    column_inside_2_q <= column_inside_1_q;
  end

  // Line memories. Writing one cycle late keeps reads and writes of one cell apart (a line has at least two words), so any
  // kind of memory will do.
  logic [K-2:0][DATA_WIDTH-1:0] line_1_q;
  for (genvar i = 0; i < K - 1; i++) begin : gen_line
    (* ram_style = RAM_STYLE *)
    logic [DATA_WIDTH-1:0] memory[W*CF];
    always_ff @(posedge clk) begin
      if (take_1_q && write_phase_1_q == PHASE_BITS'(i)) memory[write_address_1_q] <= data_1_q;
      if (step) line_1_q[i] <= memory[read_address];
    end
  end

  // Column, top row first: row v - (K-1) + j is in memory (v + j) mod (K-1), the number of which wraps by itself.
  logic [K-1:0][DATA_WIDTH-1:0] column_2_q;
  always_ff @(posedge clk) begin
    for (int unsigned j = 0; j < K; j++) begin
      automatic logic [PHASE_BITS-1:0] number = read_phase_1_q + PHASE_BITS'(j);
      automatic logic from_memory = j < K - 1 || replay_1_q;
      column_2_q[j] <= !row_inside_1_q[j] ? '0 : from_memory ? line_1_q[number] : data_1_q;
    end
  end

  // Window: each column is CF steps older than the one on its right. No reset, so that delays map to shift-register LUTs.
  logic [K-1:0][K-1:0][DATA_WIDTH-1:0] columns;  // column by column
  assign columns[K-1] = column_2_q;
  for (genvar c = 0; c < K - 1; c++) begin : gen_column
    logic [K-1:0][DATA_WIDTH-1:0] delay_q[CF-1:0];
    always_ff @(posedge clk) begin
      if (step_2_q) begin
        delay_q[0] <= columns[c+1];
        for (int unsigned i = 1; i < CF; i++) delay_q[i] <= delay_q[i-1];
      end
    end
    assign columns[c] = delay_q[CF-1];
  end

  for (genvar r = 0; r < K; r++) begin : gen_tap_row
    for (genvar c = 0; c < K; c++) begin : gen_tap
      always_ff @(posedge clk) taps[r][c] <= column_inside_2_q[c] ? columns[c][r] : '0;
    end
  end

endmodule

`default_nettype wire
