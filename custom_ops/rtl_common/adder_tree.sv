/// Sum of N signed numbers, one set per cycle, a register after every level of two-input adders.
///
/// Latency       $clog2(N) cycles.
/// Throughput    1 sum per cycle; free-running, without handshake or reset.
/// Overflow      sums are modulo 2^SUM_BITS: exact if the final sum fits, whatever the partial sums do.
`default_nettype none

module adder_tree #(
    // Number of terms, >= 2.
    parameter int unsigned N = 9,
    // Bits of a term, >= 1.
    parameter int unsigned TERM_BITS = 8,
    // Bits of the sum, >= 1.
    parameter int unsigned SUM_BITS = 12
) (
    input  wire logic                       clk,
    input  wire logic [N-1:0][TERM_BITS-1:0] terms,
    output logic [SUM_BITS-1:0]             sum
);

  localparam int unsigned LEVELS = $clog2(N);

  if (N < 2) begin : gen_check_terms
    $fatal(1, "%m: N must be at least 2, not %0d", N);
  end
  if (TERM_BITS < 1 || SUM_BITS < 1) begin : gen_check_widths
    $fatal(1, "%m: TERM_BITS and SUM_BITS must be at least 1");
  end

  // Level l holds ceil(N / 2^l) numbers that grow by one bit per level, up to the width of the sum.
  for (genvar l = 0; l <= LEVELS; l++) begin : gen_level
    localparam int unsigned COUNT = (N + 2 ** l - 1) / 2 ** l;
    localparam int unsigned BITS = (TERM_BITS + l < SUM_BITS) ? TERM_BITS + l : SUM_BITS;
    logic signed [BITS-1:0] partial[COUNT];
    if (l == 0) begin : gen_terms
      for (genvar i = 0; i < COUNT; i++) begin : gen_term
        assign partial[i] = BITS'($signed(terms[i]));
      end
    end else begin : gen_adders
      localparam int unsigned BELOW = (N + 2 ** (l - 1) - 1) / 2 ** (l - 1);
      for (genvar i = 0; i < COUNT; i++) begin : gen_adder
        if (2 * i + 1 < BELOW) begin : gen_pair
          always_ff @(posedge clk) begin
            partial[i] <= BITS'(gen_level[l-1].partial[2*i]) + BITS'(gen_level[l-1].partial[2*i+1]);
          end
        end else begin : gen_odd
          always_ff @(posedge clk) partial[i] <= BITS'(gen_level[l-1].partial[2*i]);
        end
      end
    end
  end

  assign sum = SUM_BITS'(gen_level[LEVELS].partial[0]);

endmodule

`default_nettype wire
