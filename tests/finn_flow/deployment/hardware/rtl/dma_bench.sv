// Both DMA channels around a module `accelerator`, with a memory that answers when it likes. A stream of commands does
// what a processor would; `response` gives what it reads.

`default_nettype none

module dma_bench #(
    parameter int IN_BYTES = 1,
    parameter int OUT_BYTES = 1,
    // Of 256: how often in a cycle the memory is not ready, or has nothing.
    parameter int PAUSE = 0
) (
    input wire ap_clk,
    input wire ap_rst_n,
    // {operation, address, data}
    input  wire  [71:0] command_TDATA,
    input  wire         command_TVALID,
    output logic        command_TREADY,
    output logic [31:0] response_TDATA,
    output logic        response_TVALID,
    input  wire         response_TREADY
);

    localparam int WORDS = 8192;
    localparam logic [7:0] WRITE = 0, READ = 1, WAIT = 2, STORE = 3, LOAD = 4, BREAK = 5;

    wire [7:0]  operation = command_TDATA[71:64];
    wire [31:0] address = command_TDATA[63:32], data = command_TDATA[31:0];
    wire        channel = address[16];

    logic [63:0] memory[WORDS];
    logic [1:0]  broken_q;  // reads, writes end in an error
    logic [31:0] random_q;
    wire         go = random_q[7:0] >= 8'(PAUSE);

    // Registers: [0] of the input channel, [1] of the output channel.
    logic [1:0]       awvalid, awready, bvalid, bready, arvalid, arready, rvalid, rready;
    logic [1:0][31:0] rdata;

    wire [39:0] m_araddr, m_awaddr;
    wire [7:0]  m_arlen, m_awlen, m_wstrb;
    wire [2:0]  arsize, awsize;
    wire [1:0]  arburst, awburst;
    wire [63:0] m_wdata;
    wire        m_arvalid, m_awvalid, m_wvalid, m_wlast, m_rready, m_bready;
    logic       m_arready, m_awready, m_wready, m_rvalid, m_rlast, m_bvalid;
    logic [63:0] m_rdata;
    wire  [8*IN_BYTES-1:0]  in_tdata;
    wire  [8*OUT_BYTES-1:0] out_tdata;
    wire        in_tvalid, in_tready, out_tvalid, out_tready;

    dsode_idma idma0 (
        .ap_clk, .ap_rst_n,
        .s_axi_control_awaddr(address[6:0]), .s_axi_control_awvalid(awvalid[0]), .s_axi_control_awready(awready[0]),
        .s_axi_control_wdata(data), .s_axi_control_wstrb(4'hF), .s_axi_control_wvalid(awvalid[0]), .s_axi_control_wready(),
        .s_axi_control_bresp(), .s_axi_control_bvalid(bvalid[0]), .s_axi_control_bready(bready[0]),
        .s_axi_control_araddr(operation == WAIT ? 7'd0 : address[6:0]),
        .s_axi_control_arvalid(arvalid[0]), .s_axi_control_arready(arready[0]),
        .s_axi_control_rdata(rdata[0]), .s_axi_control_rresp(), .s_axi_control_rvalid(rvalid[0]),
        .s_axi_control_rready(rready[0]),
        .m_axi_gmem_araddr(m_araddr), .m_axi_gmem_arlen(m_arlen), .m_axi_gmem_arsize(arsize),
        .m_axi_gmem_arburst(arburst), .m_axi_gmem_arcache(), .m_axi_gmem_arprot(),
        .m_axi_gmem_arvalid(m_arvalid), .m_axi_gmem_arready(m_arready),
        .m_axi_gmem_rdata(m_rdata), .m_axi_gmem_rresp({broken_q[0], 1'b0}), .m_axi_gmem_rlast(m_rlast),
        .m_axi_gmem_rvalid(m_rvalid), .m_axi_gmem_rready(m_rready),
        .m_axis_tdata(in_tdata), .m_axis_tvalid(in_tvalid), .m_axis_tready(in_tready)
    );

    accelerator accelerator (
        .ap_clk, .ap_rst_n,
        .in0_V_TDATA(in_tdata), .in0_V_TVALID(in_tvalid), .in0_V_TREADY(in_tready),
        .out0_V_TDATA(out_tdata), .out0_V_TVALID(out_tvalid), .out0_V_TREADY(out_tready)
    );

    dsode_odma odma0 (
        .ap_clk, .ap_rst_n,
        .s_axi_control_awaddr(address[6:0]), .s_axi_control_awvalid(awvalid[1]), .s_axi_control_awready(awready[1]),
        .s_axi_control_wdata(data), .s_axi_control_wstrb(4'hF), .s_axi_control_wvalid(awvalid[1]), .s_axi_control_wready(),
        .s_axi_control_bresp(), .s_axi_control_bvalid(bvalid[1]), .s_axi_control_bready(bready[1]),
        .s_axi_control_araddr(operation == WAIT ? 7'd0 : address[6:0]),
        .s_axi_control_arvalid(arvalid[1]), .s_axi_control_arready(arready[1]),
        .s_axi_control_rdata(rdata[1]), .s_axi_control_rresp(), .s_axi_control_rvalid(rvalid[1]),
        .s_axi_control_rready(rready[1]),
        .m_axi_gmem_awaddr(m_awaddr), .m_axi_gmem_awlen(m_awlen), .m_axi_gmem_awsize(awsize),
        .m_axi_gmem_awburst(awburst), .m_axi_gmem_awcache(), .m_axi_gmem_awprot(),
        .m_axi_gmem_awvalid(m_awvalid), .m_axi_gmem_awready(m_awready),
        .m_axi_gmem_wdata(m_wdata), .m_axi_gmem_wstrb(m_wstrb), .m_axi_gmem_wlast(m_wlast),
        .m_axi_gmem_wvalid(m_wvalid), .m_axi_gmem_wready(m_wready),
        .m_axi_gmem_bresp({broken_q[1], 1'b0}), .m_axi_gmem_bvalid(m_bvalid), .m_axi_gmem_bready(m_bready),
        .s_axis_tdata(out_tdata), .s_axis_tvalid(out_tvalid), .s_axis_tready(out_tready)
    );

    // The processor: one access after the other.
    typedef enum logic [1:0] {NEXT, ANSWER, REPLY} state_e;
    state_e state_q;

    always_comb begin
        {awvalid, arvalid} = '0;
        if (state_q == NEXT && command_TVALID) begin
            awvalid[channel] = operation == WRITE;
            arvalid[channel] = operation == READ || operation == WAIT;
        end
        bready = '0;
        rready = '0;
        if (state_q == ANSWER) begin
            bready[channel] = 1'b1;
            rready[channel] = 1'b1;
        end
        command_TREADY  = state_q == ANSWER && (bvalid[channel] || (rvalid[channel] && operation == READ)
                                                || (rvalid[channel] && operation == WAIT && rdata[channel][1]));
        if (state_q == NEXT && operation >= STORE) command_TREADY = !response_TVALID;
    end

    always_ff @(posedge ap_clk) begin
        random_q <= {random_q[30:0], random_q[31] ^ random_q[21] ^ random_q[1] ^ random_q[0]};
        if (response_TREADY) response_TVALID <= 1'b0;
        if (|(awvalid & awready) || |(arvalid & arready)) state_q <= ANSWER;
        if (state_q == ANSWER && (bvalid[channel] || rvalid[channel])) begin
            state_q <= NEXT;
            if (rvalid[channel] && command_TREADY) begin
                response_TDATA  <= rdata[channel];
                response_TVALID <= 1'b1;
            end
        end
        if (command_TVALID && command_TREADY) begin
            if (operation == STORE) memory[address[15:3]][32*address[2]+:32] <= data;
            if (operation == BREAK) broken_q <= data[1:0];
            if (operation == LOAD) begin
                response_TDATA  <= memory[address[15:3]][32*address[2]+:32];
                response_TVALID <= 1'b1;
            end
        end
        if (!ap_rst_n) begin
            state_q         <= NEXT;
            response_TVALID <= 1'b0;
            broken_q        <= '0;
            random_q        <= 32'h1234_5678;
        end
    end

    // The memory, reading: bursts wait in a queue.
    logic [47:0] queue_q[8];
    logic [3:0]  queued_q;
    logic [2:0]  head_q;
    logic [7:0]  beat_q;
    wire [47:0] burst = queue_q[head_q];
    wire last_beat = beat_q == burst[7:0];

    assign m_arready = queued_q < 4'd8 && go;
    always_ff @(posedge ap_clk) begin
        if (m_arvalid && m_arready) queue_q[head_q + 3'(queued_q)] <= {m_araddr, m_arlen};
        if (m_rready || !m_rvalid) begin
            m_rvalid <= queued_q != '0 && go;
            m_rdata  <= memory[burst[26:11] + 16'(beat_q)];
            m_rlast  <= last_beat;
            if (queued_q != '0 && go) begin
                beat_q <= last_beat ? 8'd0 : beat_q + 8'd1;
                if (last_beat) head_q <= head_q + 3'd1;
            end
        end
        queued_q <= queued_q + 4'(m_arvalid && m_arready)
                    - 4'((m_rready || !m_rvalid) && queued_q != '0 && go && last_beat);
        if (m_arvalid && (arsize != 3'd3 || arburst != 2'd1 || (m_araddr[11:0] + 8 * (m_arlen + 1)) > 13'd4096))
            $error("a read burst that AXI forbids");
        if (!ap_rst_n) {queued_q, head_q, beat_q, m_rvalid} <= '0;
    end

    // The memory, writing: one burst at a time.
    logic        writing_q;
    logic [15:0] write_q;
    logic [7:0]  left_q;

    assign m_awready = !writing_q && !m_bvalid && go;
    assign m_wready  = writing_q && go;
    always_ff @(posedge ap_clk) begin
        if (m_bready) m_bvalid <= 1'b0;
        if (m_awvalid && m_awready) begin
            writing_q <= 1'b1;
            write_q   <= m_awaddr[18:3];
            left_q    <= m_awlen;
            if (awsize != 3'd3 || awburst != 2'd1 || (m_awaddr[11:0] + 8 * (m_awlen + 1)) > 13'd4096)
                $error("a write burst that AXI forbids");
        end
        if (m_wvalid && m_wready) begin
            for (int i = 0; i < 8; i++) if (m_wstrb[i]) memory[write_q[12:0]][8*i+:8] <= m_wdata[8*i+:8];
            write_q <= write_q + 16'd1;
            left_q  <= left_q - 8'd1;
            if (m_wlast != (left_q == 8'd0)) $error("WLAST is not at the burst's end");
            if (m_wlast) begin
                writing_q <= 1'b0;
                m_bvalid  <= 1'b1;
            end
        end
        if (!ap_rst_n) {writing_q, m_bvalid} <= '0;
    end

endmodule

`default_nettype wire
