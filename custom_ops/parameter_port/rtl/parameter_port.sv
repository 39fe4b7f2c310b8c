/// AXI4-Lite port through which the parameters of an accelerator are written and read back, and the gate that keeps every frame
/// to one bank of them.
///
/// Nodes hold three banks: 0, the built-in parameters, and 1 and 2, which are written in turn. A row is written into the bank of
/// these that is not in use. A switch waits at the gate: frames that have begun to come in are let in to their end, the next ones
/// are held back until those inside have left; then the bank changes. No frame sees two banks. Reading a row back waits likewise,
/// because the nodes' memories have one read port.
///
/// | offset | register |
/// |---|---|
/// | 0x00 | state: bit 0 busy, bits 2:1 bank in use, bit 3 a write was refused because of busy (cleared by reading this) |
/// | 0x04 | write 0, 1 or 2: switch to that bank |
/// | 0x08 | row, for the next write or read; counts up after each |
/// | 0x0C | multiplier: of the next row that is written, or of the last one read |
/// | 0x10 | low 32 bits of the offset, likewise |
/// | 0x14 | high 16 bits of the offset, sign-extended; a write also writes the row into the bank that it would be written to |
/// | 0x18 | write 0, 1 or 2: read the row of that bank back |
/// | 0x1C | magic number, 0x50415231 |
///
/// Latency       1 cycle from address (and data) to the response; 1 cycle for a stream's word.
/// Throughput    1 access every 2 cycles; 1 word per cycle. A switch costs the time until the frames inside have left, and a
///               dozen cycles.
/// Backpressure  a response waits for its READY. Both TREADYs of the streams are registers, the one of the output ANDed with
///               one.
/// Overflow      at most 65,535 frames may be inside.
/// Reset         the built-in parameters are in use; what was written stays in its bank.
`default_nettype none

module parameter_port #(
    // Bits of a word of the accelerator's input, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Words of a frame at the accelerator's input and output, >= 1.
    parameter int unsigned IN_WORDS = 4,
    parameter int unsigned OUT_WORDS = 1
) (
    input  wire logic                  clk,
    input  wire logic                  rst,

    input  wire logic [6:0]            s_axi_awaddr,
    input  wire logic                  s_axi_awvalid,
    output logic                       s_axi_awready,
    input  wire logic [31:0]           s_axi_wdata,
    input  wire logic                  s_axi_wvalid,
    output logic                       s_axi_wready,
    output logic                       s_axi_bvalid,
    input  wire logic                  s_axi_bready,
    input  wire logic [6:0]            s_axi_araddr,
    input  wire logic                  s_axi_arvalid,
    output logic                       s_axi_arready,
    output logic [31:0]                s_axi_rdata,
    output logic                       s_axi_rvalid,
    input  wire logic                  s_axi_rready,

    // Frames on their way into the accelerator.
    input  wire logic [DATA_WIDTH-1:0] s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output logic                       s_axis_tready,
    output logic [DATA_WIDTH-1:0]      m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready,
    // High in each cycle in which a word leaves the accelerator.
    input  wire logic                  left,

    // To all nodes: write, read, bank, bank in use, row, offset, multiplier; and what the one that is read answers.
    output logic [99:0]                parameters_in,
    input  wire logic [73:0]           parameters_out
);

  localparam logic [6:0] STATE = 7'h00;
  localparam logic [6:0] SWITCH = 7'h04;
  localparam logic [6:0] ROW = 7'h08;
  localparam logic [6:0] MULTIPLIER = 7'h0C;
  localparam logic [6:0] OFFSET_LOW = 7'h10;
  localparam logic [6:0] OFFSET_HIGH = 7'h14;
  localparam logic [6:0] READ = 7'h18;
  localparam logic [6:0] MAGIC = 7'h1C;
  localparam logic [31:0] MAGIC_NUMBER = 32'h50415231;
  // Cycles for the bus to the nodes, their memories, and back.
  localparam logic [3:0] SETTLING = 4'd12;
  localparam int unsigned IN_BITS = (IN_WORDS > 1) ? $clog2(IN_WORDS) : 1;
  localparam int unsigned OUT_BITS = (OUT_WORDS > 1) ? $clog2(OUT_WORDS) : 1;

  // Registers.
  logic refused_q, switching_q, reading_q, write_row_q;
  logic [1:0] active_q, target_q;
  logic [19:0] row_q, written_row_q;
  logic [25:0] multiplier_q;
  logic [47:0] offset_q;
  logic [3:0] settling_q;
  wire logic busy = switching_q || reading_q;
  wire logic write = s_axi_awvalid && s_axi_wvalid && !s_axi_bvalid;
  wire logic read = s_axi_arvalid && !s_axi_rvalid;
  assign s_axi_awready = write;
  assign s_axi_wready = write;
  assign s_axi_arready = read;

  // The gate: it closes between two frames, never on a word that is on offer.
  logic open_q;
  logic [IN_BITS-1:0] in_word_q;
  logic [OUT_BITS-1:0] out_word_q;
  logic [15:0] inside_q;
  logic queue_valid;
  wire logic enter = m_axis_tvalid && m_axis_tready;
  wire logic last_in = in_word_q == IN_BITS'(IN_WORDS - 1);
  wire logic last_out = out_word_q == OUT_BITS'(OUT_WORDS - 1);
  wire logic between = enter ? last_in : (in_word_q == '0 && !m_axis_tvalid);
  wire logic empty = !open_q && inside_q == 16'd0;
  wire logic done = settling_q == SETTLING;
  assign m_axis_tvalid = queue_valid && open_q;

  logic [1:0] unused_level;
  stream_queue #(
      .DATA_WIDTH(DATA_WIDTH)
  ) queue (
      .s_axis_tdata(s_axis_tdata),
      .s_axis_tvalid(s_axis_tvalid),
      .s_axis_tready(s_axis_tready),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tvalid(queue_valid),
      .m_axis_tready(m_axis_tready && open_q),
      .level(unused_level),
      .*
  );

  // Rows are written to the bank of 1 and 2 that is not in use.
  wire logic [1:0] spare = (active_q == 2'd1) ? 2'd2 : 2'd1;
  wire logic [1:0] bank = reading_q ? target_q : spare;
  always_ff @(posedge clk) begin
    parameters_in <= {
      write_row_q && !rst,
      reading_q && empty && !rst,
      bank,
      active_q,
      reading_q ? row_q : written_row_q,
      offset_q,
      multiplier_q
    };
  end

  always_ff @(posedge clk) begin
    if (read) begin
      case (s_axi_araddr)
        STATE: s_axi_rdata <= {28'd0, refused_q, active_q, busy};
        ROW: s_axi_rdata <= {12'd0, row_q};
        MULTIPLIER: s_axi_rdata <= {6'd0, multiplier_q};
        OFFSET_LOW: s_axi_rdata <= offset_q[31:0];
        OFFSET_HIGH: s_axi_rdata <= {{16{offset_q[47]}}, offset_q[47:32]};
        MAGIC: s_axi_rdata <= MAGIC_NUMBER;
        default: s_axi_rdata <= 32'd0;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      s_axi_bvalid <= 1'b0;
      s_axi_rvalid <= 1'b0;
      refused_q <= 1'b0;
      switching_q <= 1'b0;
      reading_q <= 1'b0;
      write_row_q <= 1'b0;
      active_q <= 2'd0;
      target_q <= 2'd0;
      row_q <= '0;
      settling_q <= '0;
      open_q <= 1'b0;
      in_word_q <= '0;
      out_word_q <= '0;
      inside_q <= '0;
    end else begin
      if (s_axi_bready) s_axi_bvalid <= 1'b0;
      if (s_axi_rready) s_axi_rvalid <= 1'b0;
      if (write) s_axi_bvalid <= 1'b1;
      if (read) s_axi_rvalid <= 1'b1;
      if (read && s_axi_araddr == STATE) refused_q <= 1'b0;

      write_row_q <= 1'b0;
      if (write && busy) refused_q <= 1'b1;
      if (write && !busy) begin
        case (s_axi_awaddr)
          SWITCH: begin
            switching_q <= s_axi_wdata[1:0] != 2'd3;
            target_q <= s_axi_wdata[1:0];
          end
          ROW: row_q <= s_axi_wdata[19:0];
          MULTIPLIER: multiplier_q <= s_axi_wdata[25:0];
          OFFSET_LOW: offset_q[31:0] <= s_axi_wdata;
          OFFSET_HIGH: begin
            offset_q[47:32] <= s_axi_wdata[15:0];
            written_row_q <= row_q;
            write_row_q <= 1'b1;
            row_q <= row_q + 20'd1;
          end
          READ: begin
            reading_q <= s_axi_wdata[1:0] != 2'd3;
            target_q <= s_axi_wdata[1:0];
          end
          default: ;
        endcase
      end

      if (enter) in_word_q <= last_in ? '0 : in_word_q + 1'b1;
      if (left) out_word_q <= last_out ? '0 : out_word_q + 1'b1;
      inside_q <= inside_q + 16'(enter && in_word_q == '0) - 16'(left && last_out);
      open_q <= busy ? open_q && !between : 1'b1;

      settling_q <= (busy && empty) ? settling_q + 4'd1 : '0;
      if (empty && switching_q) active_q <= target_q;
      if (done) begin
        switching_q <= 1'b0;
        reading_q <= 1'b0;
        settling_q <= '0;
        if (reading_q) begin
          {offset_q, multiplier_q} <= parameters_out;
          row_q <= row_q + 20'd1;
        end
      end
    end
  end

  stream_checker #(
      .DATA_WIDTH(DATA_WIDTH)
  ) check_output (
      .tdata(m_axis_tdata),
      .tvalid(m_axis_tvalid),
      .tready(m_axis_tready),
      .*
  );

endmodule

`default_nettype wire
