// A read-only memory in LUTs, as the device has them: two bits of 32 words in one LUT, one bit of 64 words, and MUXF7,
// MUXF8 and MUXF9 from there. By itself Yosys makes trees of multiplexers of it, three times as large. Words up to 8
// are left to it: equal columns are merged there.

(* techmap_celltype = "$mem_v2" *)
module rom_in_luts (RD_CLK, RD_EN, RD_ARST, RD_SRST, RD_ADDR, RD_DATA, WR_CLK, WR_EN, WR_ADDR, WR_DATA);
    parameter MEMID = "";
    parameter integer SIZE = 0;
    parameter integer OFFSET = 0;
    parameter integer ABITS = 0;
    parameter integer WIDTH = 0;
    parameter [SIZE*WIDTH-1:0] INIT = 0;
    parameter integer RD_PORTS = 0;
    parameter RD_CLK_ENABLE = 0;
    parameter RD_CLK_POLARITY = 0;
    parameter RD_TRANSPARENCY_MASK = 0;
    parameter RD_COLLISION_X_MASK = 0;
    parameter RD_WIDE_CONTINUATION = 0;
    parameter RD_CE_OVER_SRST = 0;
    parameter RD_ARST_VALUE = 0;
    parameter RD_SRST_VALUE = 0;
    parameter RD_INIT_VALUE = 0;
    parameter integer WR_PORTS = 0;
    parameter WR_CLK_ENABLE = 0;
    parameter WR_CLK_POLARITY = 0;
    parameter WR_PRIORITY_MASK = 0;
    parameter WR_WIDE_CONTINUATION = 0;
    parameter _TECHMAP_CONSTMSK_RD_ARST_ = 0;
    parameter _TECHMAP_CONSTMSK_RD_SRST_ = 0;

    input RD_CLK, RD_EN, RD_ARST, RD_SRST;
    input [ABITS-1:0] RD_ADDR;
    output [WIDTH-1:0] RD_DATA;
    input WR_CLK, WR_EN, WR_ADDR, WR_DATA;

    wire _TECHMAP_FAIL_ = WR_PORTS != 0 || RD_PORTS != 1 || OFFSET != 0 || SIZE <= 8
        || !_TECHMAP_CONSTMSK_RD_ARST_ || !_TECHMAP_CONSTMSK_RD_SRST_;

    localparam integer LUTS = ABITS <= 6 ? 1 : 1 << (ABITS - 6);
    wire [ABITS+5:0] address = RD_ADDR;
    wire [WIDTH-1:0] word;

    // Word `first + i` of bit `bit`, for i from 0.
    function [63:0] column(input integer bit, input integer first);
        integer i;
        for (i = 0; i < 64; i = i + 1) column[i] = (first + i < SIZE) ? INIT[(first+i)*WIDTH+bit] : 1'b0;
    endfunction

    genvar b, n;
    generate
        if (ABITS <= 5) begin
            for (b = 0; b < WIDTH; b = b + 2) begin : pair
                localparam [31:0] LOW = column(b, 0);
                localparam [31:0] HIGH = column((b + 1 < WIDTH) ? b + 1 : b, 0);
                wire high;
                LUT6_2 #(.INIT({HIGH, LOW})) lut (
                    .O6(high), .O5(word[b]),
                    .I0(address[0]), .I1(address[1]), .I2(address[2]), .I3(address[3]), .I4(address[4]), .I5(1'b1)
                );
                if (b + 1 < WIDTH) assign word[b+1] = high;
            end
        end else begin
            for (b = 0; b < WIDTH; b = b + 1) begin : column_of
                // A binary tree: the leaves are LUTs, node n selects between 2n and 2n + 1.
                wire [2*LUTS-1:1] tree;
                for (n = 0; n < LUTS; n = n + 1) begin : leaf
                    localparam [63:0] WORDS = column(b, 64 * n);
                    if (64 * n < SIZE)
                        LUT6 #(.INIT(WORDS)) lut (
                            .O(tree[LUTS+n]), .I0(address[0]), .I1(address[1]), .I2(address[2]), .I3(address[3]),
                            .I4(address[4]), .I5(address[5])
                        );
                    else
                        assign tree[LUTS+n] = 1'b0;
                end
                for (n = 1; n < LUTS; n = n + 1) begin : node
                    localparam integer SELECT = ABITS - $clog2(n + 1);
                    if (SELECT == 6)
                        MUXF7 mux (.O(tree[n]), .I0(tree[2*n]), .I1(tree[2*n+1]), .S(address[6]));
                    else if (SELECT == 7)
                        MUXF8 mux (.O(tree[n]), .I0(tree[2*n]), .I1(tree[2*n+1]), .S(address[7]));
                    else if (SELECT == 8)
                        MUXF9 mux (.O(tree[n]), .I0(tree[2*n]), .I1(tree[2*n+1]), .S(address[8]));
                    else
                        assign tree[n] = address[SELECT] ? tree[2*n+1] : tree[2*n];
                end
                assign word[b] = tree[1];
            end
        end
        if (RD_CLK_ENABLE)
            \$dffe #(.WIDTH(WIDTH), .CLK_POLARITY(RD_CLK_POLARITY), .EN_POLARITY(1'b1)) register (
                .CLK(RD_CLK), .EN(RD_EN), .D(word), .Q(RD_DATA)
            );
        else
            assign RD_DATA = word;
    endgenerate
endmodule
