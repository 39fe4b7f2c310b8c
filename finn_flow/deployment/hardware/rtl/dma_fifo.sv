/// Beats of a DMA channel on their way, in LUT memory. It has no `in_ready`: who writes keeps count of the room.
/// For a stream that can wait at its input use `stream_queue`.
///
/// Latency       1 cycle.
/// Throughput    1 word per cycle.
/// Backpressure  none towards the input.
/// Overflow      the word is lost (asserted).
`default_nettype none

module dma_fifo #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 64,
    // Words that it holds: a power of two, at least 2.
    parameter int unsigned DEPTH = 64,
    // Derived: bits of the fill level.
    localparam int unsigned LEVEL_WIDTH = $clog2(DEPTH + 1)
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [DATA_WIDTH-1:0]  in_data,
    input  wire logic                   in_valid,
    output logic [DATA_WIDTH-1:0]       out_data,
    output logic                        out_valid,
    input  wire logic                   out_ready,
    // Words inside.
    output logic [LEVEL_WIDTH-1:0]      level
);

  localparam int unsigned ADDRESS_WIDTH = $clog2(DEPTH);

  if (DATA_WIDTH < 1) begin : gen_check_width
    $fatal(1, "%m: DATA_WIDTH must be at least 1");
  end
  if (DEPTH < 2 || (DEPTH & (DEPTH - 1)) != 0) begin : gen_check_depth
    $fatal(1, "%m: DEPTH must be a power of two, at least 2");
  end

  (* ram_style = "distributed" *)
  logic [DATA_WIDTH-1:0] memory[DEPTH];
  logic [ADDRESS_WIDTH-1:0] read_address_q, write_address_q;
  logic [LEVEL_WIDTH-1:0] level_q;

  wire logic pop = out_valid && out_ready;

  assign out_data = memory[read_address_q];
  assign out_valid = level_q != '0;
  assign level = level_q;

  always_ff @(posedge clk) begin
    if (in_valid) memory[write_address_q] <= in_data;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      read_address_q <= '0;
      write_address_q <= '0;
      level_q <= '0;
    end else begin
      if (in_valid) write_address_q <= write_address_q + 1'b1;
      if (pop) read_address_q <= read_address_q + 1'b1;
      level_q <= level_q + LEVEL_WIDTH'(in_valid) - LEVEL_WIDTH'(pop);
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk) begin
    if (!rst) begin
      assert (!in_valid || pop || level_q < LEVEL_WIDTH'(DEPTH))
      else $error("%m: a word comes although there is no room: you lose data!");
    end
  end
`endif

endmodule

`default_nettype wire
