/// AXI4-Lite registers of one DMA channel, in the layout of FINN's IODMA (see the driver's dma.py).
/// One access at a time; a write needs address and data together, as every interconnect gives them.

`default_nettype none

module dma_registers #(
    /// What a read of 0x30 returns; never 0.
    parameter logic [31:0] BUILD_ID = 32'h1
) (
    input wire clk,
    input wire rst,

    input  wire  [6:0]  s_axi_awaddr,
    input  wire         s_axi_awvalid,
    output logic        s_axi_awready,
    input  wire  [31:0] s_axi_wdata,
    input  wire         s_axi_wvalid,
    output logic        s_axi_wready,
    output logic        s_axi_bvalid,
    input  wire         s_axi_bready,
    input  wire  [6:0]  s_axi_araddr,
    input  wire         s_axi_arvalid,
    output logic        s_axi_arready,
    output logic [31:0] s_axi_rdata,
    output logic        s_axi_rvalid,
    input  wire         s_axi_rready,

    /// High for one cycle when a transfer starts; address and frames hold until `done`.
    output logic        start,
    output logic [63:0] address,
    output logic [31:0] frames,
    /// High for one cycle at a transfer's end.
    input  wire         done,
    input  wire         memory_error,
    input  wire         address_error,
    /// High for one cycle per frame.
    input  wire         frame_done
);

    localparam logic [6:0] CONTROL = 7'h00, ADDRESS_LOW = 7'h10, ADDRESS_HIGH = 7'h14, FRAMES = 7'h1C;
    localparam logic [6:0] ERRORS = 7'h28, FRAMES_DONE = 7'h2C, BUILD = 7'h30;

    logic        busy_q, done_q;
    logic [1:0]  errors_q;
    logic [31:0] frames_done_q;

    wire write = s_axi_awvalid && s_axi_wvalid && !s_axi_bvalid;
    wire read  = s_axi_arvalid && !s_axi_rvalid;
    wire go    = write && s_axi_awaddr == CONTROL && s_axi_wdata[0] && !busy_q;

    assign s_axi_awready = write;
    assign s_axi_wready  = write;
    assign s_axi_arready = read;

    always_ff @(posedge clk) begin
        start <= go;
        if (s_axi_bready) s_axi_bvalid <= 1'b0;
        if (s_axi_rready) s_axi_rvalid <= 1'b0;

        if (frame_done) frames_done_q <= frames_done_q + 32'd1;
        errors_q <= errors_q | {address_error, memory_error};
        if (done) begin
            busy_q <= 1'b0;
            done_q <= 1'b1;
        end

        if (write) begin
            s_axi_bvalid <= 1'b1;
            // While a transfer runs its arguments must not change under it.
            if (!busy_q) begin
                case (s_axi_awaddr)
                    ADDRESS_LOW:  address[31:0]  <= s_axi_wdata;
                    ADDRESS_HIGH: address[63:32] <= s_axi_wdata;
                    FRAMES:       frames         <= s_axi_wdata;
                    default:      ;
                endcase
            end
        end
        if (go) begin
            busy_q        <= 1'b1;
            done_q        <= 1'b0;
            errors_q      <= 2'b00;
            frames_done_q <= 32'd0;
        end
        if (read) begin
            s_axi_rvalid <= 1'b1;
            case (s_axi_araddr)
                CONTROL: begin
                    s_axi_rdata <= {29'd0, !busy_q, done_q, busy_q};
                    // Reading clears it, unless it is being set in this very cycle.
                    if (!done) done_q <= 1'b0;
                end
                ADDRESS_LOW:  s_axi_rdata <= address[31:0];
                ADDRESS_HIGH: s_axi_rdata <= address[63:32];
                FRAMES:       s_axi_rdata <= frames;
                ERRORS:       s_axi_rdata <= {30'd0, errors_q};
                FRAMES_DONE:  s_axi_rdata <= frames_done_q;
                BUILD:        s_axi_rdata <= BUILD_ID;
                default:      s_axi_rdata <= 32'd0;
            endcase
        end

        if (rst) begin
            {start, busy_q, done_q, s_axi_bvalid, s_axi_rvalid} <= '0;
            errors_q      <= 2'b00;
            frames_done_q <= 32'd0;
            address       <= 64'd0;
            frames        <= 32'd0;
        end
    end

endmodule

`default_nettype wire
