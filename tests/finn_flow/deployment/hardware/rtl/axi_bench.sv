/// Both DMA channels, the stream of one into the other, with their AXI ports where a bench in Python drives them. Every
/// port is watched: what is offered stays until it is taken.
`default_nettype none

module axi_bench #(
    parameter int unsigned STREAM_BYTES = 3
) (
    input  wire logic        clk,
    input  wire logic        rst_n,
    // Lets words pass from one channel to the other.
    input  wire logic        stream_go,

    input  wire logic [6:0]  in_control_awaddr,
    input  wire logic        in_control_awvalid,
    output logic             in_control_awready,
    input  wire logic [31:0] in_control_wdata,
    input  wire logic [3:0]  in_control_wstrb,
    input  wire logic        in_control_wvalid,
    output logic             in_control_wready,
    output logic [1:0]       in_control_bresp,
    output logic             in_control_bvalid,
    input  wire logic        in_control_bready,
    input  wire logic [6:0]  in_control_araddr,
    input  wire logic        in_control_arvalid,
    output logic             in_control_arready,
    output logic [31:0]      in_control_rdata,
    output logic [1:0]       in_control_rresp,
    output logic             in_control_rvalid,
    input  wire logic        in_control_rready,

    input  wire logic [6:0]  out_control_awaddr,
    input  wire logic        out_control_awvalid,
    output logic             out_control_awready,
    input  wire logic [31:0] out_control_wdata,
    input  wire logic [3:0]  out_control_wstrb,
    input  wire logic        out_control_wvalid,
    output logic             out_control_wready,
    output logic [1:0]       out_control_bresp,
    output logic             out_control_bvalid,
    input  wire logic        out_control_bready,
    input  wire logic [6:0]  out_control_araddr,
    input  wire logic        out_control_arvalid,
    output logic             out_control_arready,
    output logic [31:0]      out_control_rdata,
    output logic [1:0]       out_control_rresp,
    output logic             out_control_rvalid,
    input  wire logic        out_control_rready,

    output logic             memory_arid,
    output logic [39:0]      memory_araddr,
    output logic [7:0]       memory_arlen,
    output logic [2:0]       memory_arsize,
    output logic [1:0]       memory_arburst,
    output logic [3:0]       memory_arcache,
    output logic [2:0]       memory_arprot,
    output logic             memory_arvalid,
    input  wire logic        memory_arready,
    input  wire logic        memory_rid,
    input  wire logic [63:0] memory_rdata,
    input  wire logic [1:0]  memory_rresp,
    input  wire logic        memory_rlast,
    input  wire logic        memory_rvalid,
    output logic             memory_rready,

    output logic             memory_awid,
    output logic [39:0]      memory_awaddr,
    output logic [7:0]       memory_awlen,
    output logic [2:0]       memory_awsize,
    output logic [1:0]       memory_awburst,
    output logic [3:0]       memory_awcache,
    output logic [2:0]       memory_awprot,
    output logic             memory_awvalid,
    input  wire logic        memory_awready,
    output logic [63:0]      memory_wdata,
    output logic [7:0]       memory_wstrb,
    output logic             memory_wlast,
    output logic             memory_wvalid,
    input  wire logic        memory_wready,
    input  wire logic        memory_bid,
    input  wire logic [1:0]  memory_bresp,
    input  wire logic        memory_bvalid,
    output logic             memory_bready
);

  logic [8*STREAM_BYTES-1:0] tdata;
  logic in_tvalid, out_tready;

  assign memory_arid = 1'b0;
  assign memory_awid = 1'b0;

  dsode_idma idma0 (
`define CONTROL(SIGNAL) .s_axi_control_``SIGNAL(in_control_``SIGNAL)
`define MEMORY(SIGNAL) .m_axi_gmem_``SIGNAL(memory_``SIGNAL)
      .ap_clk(clk), .ap_rst_n(rst_n),
      `CONTROL(awaddr), `CONTROL(awvalid), `CONTROL(awready), `CONTROL(wdata), `CONTROL(wstrb), `CONTROL(wvalid),
      `CONTROL(wready), `CONTROL(bresp), `CONTROL(bvalid), `CONTROL(bready), `CONTROL(araddr), `CONTROL(arvalid),
      `CONTROL(arready), `CONTROL(rdata), `CONTROL(rresp), `CONTROL(rvalid), `CONTROL(rready),
      `MEMORY(araddr), `MEMORY(arlen), `MEMORY(arsize), `MEMORY(arburst), `MEMORY(arcache), `MEMORY(arprot),
      `MEMORY(arvalid), `MEMORY(arready), `MEMORY(rdata), `MEMORY(rresp), `MEMORY(rlast), `MEMORY(rvalid),
      `MEMORY(rready),
      .m_axis_tdata(tdata), .m_axis_tvalid(in_tvalid), .m_axis_tready(out_tready && stream_go)
  );
`undef CONTROL
`define CONTROL(SIGNAL) .s_axi_control_``SIGNAL(out_control_``SIGNAL)
  dsode_odma odma0 (
      .ap_clk(clk), .ap_rst_n(rst_n),
      `CONTROL(awaddr), `CONTROL(awvalid), `CONTROL(awready), `CONTROL(wdata), `CONTROL(wstrb), `CONTROL(wvalid),
      `CONTROL(wready), `CONTROL(bresp), `CONTROL(bvalid), `CONTROL(bready), `CONTROL(araddr), `CONTROL(arvalid),
      `CONTROL(arready), `CONTROL(rdata), `CONTROL(rresp), `CONTROL(rvalid), `CONTROL(rready),
      `MEMORY(awaddr), `MEMORY(awlen), `MEMORY(awsize), `MEMORY(awburst), `MEMORY(awcache), `MEMORY(awprot),
      `MEMORY(awvalid), `MEMORY(awready), `MEMORY(wdata), `MEMORY(wstrb), `MEMORY(wlast), `MEMORY(wvalid),
      `MEMORY(wready), `MEMORY(bresp), `MEMORY(bvalid), `MEMORY(bready),
      .s_axis_tdata(tdata), .s_axis_tvalid(in_tvalid && stream_go), .s_axis_tready(out_tready)
  );
`undef CONTROL
`undef MEMORY

  stream_checker #(.DATA_WIDTH(60)) check_ar (
      .clk, .rst(!rst_n), .tvalid(memory_arvalid), .tready(memory_arready),
      .tdata({memory_araddr, memory_arlen, memory_arsize, memory_arburst, memory_arcache, memory_arprot})
  );
  stream_checker #(.DATA_WIDTH(60)) check_aw (
      .clk, .rst(!rst_n), .tvalid(memory_awvalid), .tready(memory_awready),
      .tdata({memory_awaddr, memory_awlen, memory_awsize, memory_awburst, memory_awcache, memory_awprot})
  );
  stream_checker #(.DATA_WIDTH(73)) check_w (
      .clk, .rst(!rst_n), .tvalid(memory_wvalid), .tready(memory_wready),
      .tdata({memory_wlast, memory_wstrb, memory_wdata})
  );
  stream_checker #(.DATA_WIDTH(8 * STREAM_BYTES)) check_stream (
      .clk, .rst(!rst_n), .tvalid(in_tvalid), .tready(out_tready && stream_go), .tdata
  );
  stream_checker #(.DATA_WIDTH(34)) check_in_r (
      .clk, .rst(!rst_n), .tvalid(in_control_rvalid), .tready(in_control_rready),
      .tdata({in_control_rresp, in_control_rdata})
  );
  stream_checker #(.DATA_WIDTH(34)) check_out_r (
      .clk, .rst(!rst_n), .tvalid(out_control_rvalid), .tready(out_control_rready),
      .tdata({out_control_rresp, out_control_rdata})
  );
  stream_checker #(.DATA_WIDTH(2)) check_in_b (
      .clk, .rst(!rst_n), .tvalid(in_control_bvalid), .tready(in_control_bready), .tdata(in_control_bresp)
  );
  stream_checker #(.DATA_WIDTH(2)) check_out_b (
      .clk, .rst(!rst_n), .tvalid(out_control_bvalid), .tready(out_control_bready), .tdata(out_control_bresp)
  );

endmodule

`default_nettype wire
