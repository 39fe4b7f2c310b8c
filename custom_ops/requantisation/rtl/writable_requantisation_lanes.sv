/// All lanes of a requantisation whose parameters can be written while it works: a memory of three banks, of which bank 0 holds
/// the built-in ones and is never written. See parameter_port, which drives the bus.
///
/// Latency       MULTIPLY_CYCLES + 2 cycles: parameters, product and sum, clip.
/// Throughput    1 word per cycle; free-running, without handshake. Reading a row back takes the memory's one read port, so
///               parameter_port asks for it only while no frame is inside.
/// Memory        one per lane, PE at most 1000.
/// Rows          row BASE + (word << LANE_INDEX_BITS) + lane of the bus is a lane of a word, see LANE_INDEX_BITS.
/// Reset         in no data path: it keeps writes out.
`default_nettype none

module writable_requantisation_lanes #(
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
    // Files of the words in hexadecimal, one per lane: `_000.dat`, `_001.dat` ... is put behind this. All banks, 2^ADDRESS_BITS
    // words apart.
    parameter MEMORY_FILE = "parameters",
    // Kind of memory: "auto", "distributed" (LUTs) or "block" (BRAM).
    /* verilator lint_off UNUSEDPARAM */  // read by synthesis only, in the attribute of the memory
    parameter RAM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    // Words of a bank, >= 1.
    parameter int unsigned DEPTH = 1,
    // First row on the bus; a multiple of the rows, rounded up to a power of two.
    parameter int unsigned BASE = 0,
    // Derived: bits of an address in a bank, and of the number of a lane.
    localparam int unsigned ADDRESS_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1,
    localparam int unsigned LANE_INDEX_BITS = (PE > 1) ? $clog2(PE) : 1
) (
    input  wire logic                    clk,
    input  wire logic                    rst,
    // Values, and the word of parameters that is theirs.
    input  wire logic [PE*IN_BITS-1:0]   data,
    input  wire logic [ADDRESS_BITS-1:0] address,
    output logic [PE*OUT_BITS-1:0]       results,
    // From parameter_port, and back to it; 0 unless one of these rows is read.
    input  wire logic [99:0]             parameters_in,
    output logic [73:0]                  parameters_out
);

  localparam int unsigned LANE_BITS = MULTIPLIER_BITS + OFFSET_BITS;
  localparam int unsigned ROW_BITS = ADDRESS_BITS + LANE_INDEX_BITS;
  localparam int unsigned WORDS = 3 * 2 ** ADDRESS_BITS;

  if (MULTIPLIER_BITS > 26 || OFFSET_BITS > 48) begin : gen_check_bits
    $fatal(1, "%m: MULTIPLIER_BITS must be at most 26 and OFFSET_BITS 48, not %0d and %0d", MULTIPLIER_BITS, OFFSET_BITS);
  end
  if (BASE % 2 ** ROW_BITS != 0 || BASE >= 2 ** 20) begin : gen_check_base
    $fatal(1, "%m: BASE must be a multiple of %0d below 2^20, not %0d", 2 ** ROW_BITS, BASE);
  end

  logic [PE*IN_BITS-1:0] data_q;
  always_ff @(posedge clk) data_q <= data;

  // The bus, registered: who is meant is found out here.
  logic write_q, read_q, mine_q;
  logic [1:0] bank_q, active_q;
  logic [ROW_BITS-1:0] row_q;
  logic [MULTIPLIER_BITS-1:0] multiplier_q;
  logic [OFFSET_BITS-1:0] offset_q;
  wire logic mine = parameters_in[74+ROW_BITS+:20-ROW_BITS] == (20 - ROW_BITS)'(BASE >> ROW_BITS);
  always_ff @(posedge clk) begin
    if (rst) begin
      {write_q, read_q, mine_q} <= 3'b000;
      active_q <= 2'd0;
    end else begin
      {write_q, read_q} <= parameters_in[99:98] & {2{mine}};
      mine_q <= read_q;
      active_q <= parameters_in[95:94];
    end
    bank_q <= parameters_in[97:96];
    row_q <= parameters_in[74+:ROW_BITS];
    offset_q <= parameters_in[26+:OFFSET_BITS];
    multiplier_q <= parameters_in[0+:MULTIPLIER_BITS];
  end
  wire logic [LANE_INDEX_BITS-1:0] lane_q = row_q[LANE_INDEX_BITS-1:0];
  wire logic [ADDRESS_BITS-1:0] word_address_q = row_q[ROW_BITS-1:LANE_INDEX_BITS];
  wire logic unused = &{1'b0, parameters_in};

  wire logic [ADDRESS_BITS+1:0] write_address = {bank_q, word_address_q};
  wire logic [ADDRESS_BITS+1:0] read_address = read_q ? {bank_q, word_address_q} : {active_q, address};
  logic [PE-1:0][LANE_BITS-1:0] words_q;

  // What is read back, sign-extended.
  logic [LANE_BITS-1:0] chosen;
  always_comb begin
    chosen = '0;
    for (int unsigned p = 0; p < PE; p++) begin
      if (mine_q && lane_q == LANE_INDEX_BITS'(p)) chosen |= words_q[p];
    end
  end
  always_ff @(posedge clk) begin
    parameters_out <= {48'($signed(chosen[LANE_BITS-1:MULTIPLIER_BITS])), 26'(chosen[MULTIPLIER_BITS-1:0])};
  end

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    // A memory of its own, so that every write is of a whole word.
    localparam logic [23:0] NUMBER = {8'("0") + 8'(p / 100), 8'("0") + 8'((p / 10) % 10), 8'("0") + 8'(p % 10)};
    (* ram_style = RAM_STYLE *)
    logic [LANE_BITS-1:0] memory[WORDS];
    initial $readmemh({MEMORY_FILE, "_", NUMBER, ".dat"}, memory);
    always_ff @(posedge clk) begin
      if (write_q && lane_q == LANE_INDEX_BITS'(p)) memory[write_address] <= {offset_q, multiplier_q};
      words_q[p] <= memory[read_address];
    end

    requantisation_lane #(
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
        .MULTIPLY_CYCLES(MULTIPLY_CYCLES)
    ) lane (
        .clk(clk),
        .x(data_q[p*IN_BITS+:IN_BITS]),
        .multiplier(words_q[p][MULTIPLIER_BITS-1:0]),
        .offset(words_q[p][LANE_BITS-1:MULTIPLIER_BITS]),
        .result(results[p*OUT_BITS+:OUT_BITS])
    );
  end

endmodule

`default_nettype wire
