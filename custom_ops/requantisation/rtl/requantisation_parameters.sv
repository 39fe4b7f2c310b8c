/// Multipliers and offsets of all lanes of a requantisation, one word per channel fold and set. A single word is a constant.
///
/// Latency       1 cycle from `address` to the word. Read in every cycle; no handshake, no reset.
/// Extension     the only place that knows where the parameters come from: a memory that is written while it is read from its
///               other half would replace this module alone.
`default_nettype none

module requantisation_parameters #(
    // Channels per word, >= 1.
    parameter int unsigned PE = 2,
    // Bits of a multiplier (unsigned) and of an offset (signed), >= 1.
    parameter int unsigned MULTIPLIER_BITS = 6,
    parameter int unsigned OFFSET_BITS = 8,
    // Words, >= 1.
    parameter int unsigned DEPTH = 1,
    // The word, for DEPTH 1: per lane its multiplier and, above that, its offset.
    parameter logic [PE*(MULTIPLIER_BITS+OFFSET_BITS)-1:0] WORD = '0,
    // File of the words in hexadecimal, for DEPTH > 1.
    parameter MEMORY_FILE = "",
    // Kind of memory: "auto", "distributed" (LUTs) or "block" (BRAM).
    /* verilator lint_off UNUSEDPARAM */  // read by synthesis only, in the attribute of the memory
    parameter ROM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    // Derived: bits of an address.
    localparam int unsigned ADDRESS_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1
) (
    input  wire logic                                clk,
    input  wire logic [ADDRESS_BITS-1:0]             address,
    output logic [PE-1:0][MULTIPLIER_BITS-1:0]        multipliers,
    output logic signed [PE-1:0][OFFSET_BITS-1:0]     offsets
);

  localparam int unsigned LANE_BITS = MULTIPLIER_BITS + OFFSET_BITS;

  if (PE < 1 || DEPTH < 1 || MULTIPLIER_BITS < 1 || OFFSET_BITS < 1) begin : gen_check_sizes
    $fatal(1, "%m: PE, DEPTH, MULTIPLIER_BITS and OFFSET_BITS must be at least 1");
  end
  if (DEPTH > 1 && MEMORY_FILE == "") begin : gen_check_file
    $fatal(1, "%m: MEMORY_FILE must be given for DEPTH > 1");
  end

  logic [PE*LANE_BITS-1:0] word;
  if (DEPTH < 2) begin : gen_constant
    assign word = WORD;
    wire logic unused = &{1'b0, clk, address};
  end else begin : gen_memory
    (* rom_style = ROM_STYLE *)
    logic [PE*LANE_BITS-1:0] memory[DEPTH];
    initial $readmemh(MEMORY_FILE, memory);
    logic [PE*LANE_BITS-1:0] word_q;
    always_ff @(posedge clk) word_q <= memory[address];
    assign word = word_q;
    wire logic unused = &{1'b0, WORD};
  end

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    assign {offsets[p], multipliers[p]} = word[p*LANE_BITS+:LANE_BITS];
  end

endmodule

`default_nettype wire
