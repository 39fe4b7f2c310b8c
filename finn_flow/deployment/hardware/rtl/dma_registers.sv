/// AXI4-Lite registers of one DMA channel, in the layout of FINN's IODMA (see the driver's dma.py).
///
/// One read and one write at a time. A write waits until address and data are both offered, in any order; strobes are
/// ignored, as AXI4-Lite allows. While a transfer runs its arguments do not change.
///
/// Latency       1 cycle from address (and data) to the response.
/// Throughput    1 access every 2 cycles.
/// Backpressure  a response waits for its READY; the next access waits for the response.
`default_nettype none

module dma_registers #(
    // What a read of 0x30 returns; never 0.
    parameter logic [31:0] BUILD_ID = 32'h1
) (
    input  wire logic        clk,
    input  wire logic        rst,

    input  wire logic [6:0]  s_axi_awaddr,
    input  wire logic        s_axi_awvalid,
    output logic             s_axi_awready,
    input  wire logic [31:0] s_axi_wdata,
    input  wire logic        s_axi_wvalid,
    output logic             s_axi_wready,
    output logic             s_axi_bvalid,
    input  wire logic        s_axi_bready,
    input  wire logic [6:0]  s_axi_araddr,
    input  wire logic        s_axi_arvalid,
    output logic             s_axi_arready,
    output logic [31:0]      s_axi_rdata,
    output logic             s_axi_rvalid,
    input  wire logic        s_axi_rready,

    // High for one cycle when a transfer starts; address and frames hold until `done`.
    output logic             start,
    output logic [63:0]      address,
    output logic [31:0]      frames,
    // High for one cycle at a transfer's end.
    input  wire logic        done,
    // High for one cycle: the memory answered with an error; the address or the number of frames is impossible.
    input  wire logic        memory_error,
    input  wire logic        address_error,
    // High for one cycle per frame.
    input  wire logic        frame_done
);

  localparam logic [6:0] CONTROL = 7'h00;
  localparam logic [6:0] ADDRESS_LOW = 7'h10;
  localparam logic [6:0] ADDRESS_HIGH = 7'h14;
  localparam logic [6:0] FRAMES = 7'h1C;
  localparam logic [6:0] ERRORS = 7'h28;
  localparam logic [6:0] FRAMES_DONE = 7'h2C;
  localparam logic [6:0] BUILD = 7'h30;

  if (BUILD_ID == 32'h0) begin : gen_check_build_id
    $fatal(1, "%m: BUILD_ID must not be 0");
  end

  logic busy_q, done_q;
  logic [1:0] errors_q;
  logic [31:0] frames_done_q;

  wire logic write = s_axi_awvalid && s_axi_wvalid && !s_axi_bvalid;
  wire logic read = s_axi_arvalid && !s_axi_rvalid;
  wire logic go = write && s_axi_awaddr == CONTROL && s_axi_wdata[0] && !busy_q;

  assign s_axi_awready = write;
  assign s_axi_wready = write;
  assign s_axi_arready = read;

  always_ff @(posedge clk) begin
    if (read) begin
      case (s_axi_araddr)
        CONTROL: s_axi_rdata <= {29'd0, !busy_q, done_q, busy_q};
        ADDRESS_LOW: s_axi_rdata <= address[31:0];
        ADDRESS_HIGH: s_axi_rdata <= address[63:32];
        FRAMES: s_axi_rdata <= frames;
        ERRORS: s_axi_rdata <= {30'd0, errors_q};
        FRAMES_DONE: s_axi_rdata <= frames_done_q;
        BUILD: s_axi_rdata <= BUILD_ID;
        default: s_axi_rdata <= 32'd0;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      start <= 1'b0;
      busy_q <= 1'b0;
      done_q <= 1'b0;
      errors_q <= 2'b00;
      frames_done_q <= 32'd0;
      address <= 64'd0;
      frames <= 32'd0;
      s_axi_bvalid <= 1'b0;
      s_axi_rvalid <= 1'b0;
    end else begin
      start <= go;
      if (s_axi_bready) s_axi_bvalid <= 1'b0;
      if (s_axi_rready) s_axi_rvalid <= 1'b0;
      if (write) s_axi_bvalid <= 1'b1;
      if (read) s_axi_rvalid <= 1'b1;

      if (frame_done) frames_done_q <= frames_done_q + 32'd1;
      errors_q <= errors_q | {address_error, memory_error};
      // Reading clears it, unless it is being set in this very cycle.
      if (read && s_axi_araddr == CONTROL) done_q <= 1'b0;
      if (done) begin
        busy_q <= 1'b0;
        done_q <= 1'b1;
      end

      if (write && !busy_q) begin
        case (s_axi_awaddr)
          ADDRESS_LOW: address[31:0] <= s_axi_wdata;
          ADDRESS_HIGH: address[63:32] <= s_axi_wdata;
          FRAMES: frames <= s_axi_wdata;
          default: ;
        endcase
      end
      if (go) begin
        busy_q <= 1'b1;
        done_q <= 1'b0;
        errors_q <= 2'b00;
        frames_done_q <= 32'd0;
      end
    end
  end

endmodule

`default_nettype wire
