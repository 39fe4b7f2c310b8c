/// First-in first-out memory in LUTs, DEPTH words; `out_data` is valid in the same cycle as `out_valid`.
/// Writing to a full one loses the word: who writes keeps count.

`default_nettype none

module dma_fifo #(
    parameter int WIDTH = 64,
    /// A power of two, at least 2.
    parameter int DEPTH = 64
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire  [WIDTH-1:0]       in_data,
    input  wire                    in_valid,
    output logic [WIDTH-1:0]       out_data,
    output logic                   out_valid,
    input  wire                    out_ready,
    /// Words inside.
    output logic [$clog2(DEPTH):0] level
);

    localparam int POINTER_BITS = $clog2(DEPTH);

    (* ram_style = "distributed" *) logic [WIDTH-1:0] memory[DEPTH];
    logic [POINTER_BITS-1:0] read_q, write_q;

    wire pop = out_valid && out_ready;

    assign out_data  = memory[read_q];
    assign out_valid = level != '0;

    always_ff @(posedge clk) begin
        if (in_valid) begin
            memory[write_q] <= in_data;
            write_q         <= write_q + 1'b1;
        end
        if (pop) read_q <= read_q + 1'b1;
        if (in_valid && !pop) level <= level + 1'b1;
        if (!in_valid && pop) level <= level - 1'b1;
        if (rst) {read_q, write_q, level} <= '0;
    end

endmodule

`default_nettype wire
