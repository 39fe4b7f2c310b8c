/// FIFO of any depth in LUTRAM, BRAM or URAM with a registered output: takes and gives one word per cycle.
/// For a handful of words with one cycle of latency use `stream_queue`.
///
/// Latency       3 cycles from the cycle that takes a word into an empty FIFO to the cycle that shows it at the output
///               (memory write, memory read, output register: both registers exist inside BRAM and URAM).
/// Throughput    1 word per cycle, reading and writing at once.
/// Backpressure  `s_axis_tready` comes from a register: nothing combinational between the two sides. A word that leaves a
///               full FIFO makes room from the next cycle on.
/// Overflow      impossible through the handshake; the FIFO holds exactly DEPTH words, the two in its read pipeline included.
/// Reset         empties it; `s_axis_tready` is low during reset.
`default_nettype none

module stream_fifo #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Words that it holds, >= 1.
    parameter int unsigned DEPTH = 16,
    // Kind of memory: "auto", "distributed" (LUTRAM), "block" (BRAM) or "ultra" (URAM).
    /* verilator lint_off UNUSEDPARAM */  // read by synthesis only, in the attribute of the memory
    parameter RAM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    // Derived: bits of the fill level.
    localparam int unsigned LEVEL_WIDTH = $clog2(DEPTH + 1)
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [DATA_WIDTH-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [DATA_WIDTH-1:0]       m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready,
    // Words inside, those in the read pipeline included.
    output logic [LEVEL_WIDTH-1:0]      level
);

  // The read pipeline holds two words as soon as the memory holds three (a word needs one cycle for each of its two steps,
  // and at most one word arrives per cycle), so the memory can be two words smaller than the FIFO.
  localparam int unsigned MEM_DEPTH = (DEPTH > 4) ? DEPTH - 2 : 2;
  localparam int unsigned ADDRESS_WIDTH = $clog2(MEM_DEPTH);
  localparam int unsigned COUNT_WIDTH = $clog2(MEM_DEPTH + 1);
  localparam logic [ADDRESS_WIDTH-1:0] LAST_ADDRESS = ADDRESS_WIDTH'(MEM_DEPTH - 1);

  if (DATA_WIDTH < 1) begin : gen_check_width
    $fatal(1, "%m: DATA_WIDTH must be at least 1");
  end
  if (DEPTH < 1) begin : gen_check_depth
    $fatal(1, "%m: DEPTH must be at least 1");
  end

  (* ram_style = RAM_STYLE *)
  logic [DATA_WIDTH-1:0] memory[MEM_DEPTH];
  logic [ADDRESS_WIDTH-1:0] write_address_q, read_address_q;
  logic [COUNT_WIDTH-1:0] in_memory_q;
  logic [LEVEL_WIDTH-1:0] level_q;
  logic ready_q;

  // Read pipeline: the memory's own output register, then the output register.
  logic [DATA_WIDTH-1:0] read_data_q, output_data_q;
  logic read_valid_q, output_valid_q;

  wire logic push = s_axis_tvalid && s_axis_tready;
  wire logic pop = m_axis_tvalid && m_axis_tready;
  wire logic load_output = read_valid_q && (!output_valid_q || m_axis_tready);
  wire logic load_read = (in_memory_q != '0) && (!read_valid_q || load_output);

  assign s_axis_tready = ready_q;
  assign m_axis_tvalid = output_valid_q;
  assign m_axis_tdata = output_data_q;
  assign level = level_q;

  always_ff @(posedge clk) begin
    if (push) memory[write_address_q] <= s_axis_tdata;
    if (load_read) read_data_q <= memory[read_address_q];
    if (load_output) output_data_q <= read_data_q;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      write_address_q <= '0;
      read_address_q <= '0;
      in_memory_q <= '0;
      level_q <= '0;
      ready_q <= 1'b0;
      read_valid_q <= 1'b0;
      output_valid_q <= 1'b0;
    end else begin
      if (push) write_address_q <= (write_address_q == LAST_ADDRESS) ? '0 : write_address_q + 1'b1;
      if (load_read) read_address_q <= (read_address_q == LAST_ADDRESS) ? '0 : read_address_q + 1'b1;
      in_memory_q <= in_memory_q + COUNT_WIDTH'(push) - COUNT_WIDTH'(load_read);
      level_q <= level_q + LEVEL_WIDTH'(push) - LEVEL_WIDTH'(pop);
      // Whether there will be room; `push` and `pop` come late, so that they must not go through the sum.
      ready_q <= pop || level_q != LEVEL_WIDTH'(push ? DEPTH - 1 : DEPTH);
      if (load_read || load_output) read_valid_q <= load_read;
      if (load_output || pop) output_valid_q <= load_output;
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk) begin
    if (!rst) begin
      assert (!push || load_read || in_memory_q < COUNT_WIDTH'(MEM_DEPTH))
      else $error("%m: the FIFO's memory is written while full: you will lose data!");
    end
  end
`endif

endmodule

`default_nettype wire
