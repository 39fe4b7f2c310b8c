/// Takes frames from a stream and writes them to memory: FRAME_WORDS words of STREAM_BYTES bytes a frame.
/// A burst (at most 128 bytes on a 64-bit bus) starts when all its data is here, so W is never held up by the stream.

`default_nettype none

module odma_core #(
    parameter int STREAM_BYTES = 1,
    parameter int FRAME_WORDS = 1
) (
    input wire clk,
    input wire rst,

    input  wire         start,
    /// A multiple of 128.
    input  wire  [63:0] address,
    /// Below 2^24.
    input  wire  [31:0] frames,
    output logic        done,
    output logic        memory_error,
    output logic        address_error,
    output logic        frame_done,

    output logic [39:0] m_axi_awaddr,
    output logic [7:0]  m_axi_awlen,
    output logic        m_axi_awvalid,
    input  wire         m_axi_awready,
    output logic [63:0] m_axi_wdata,
    output logic [7:0]  m_axi_wstrb,
    output logic        m_axi_wlast,
    output logic        m_axi_wvalid,
    input  wire         m_axi_wready,
    input  wire  [1:0]  m_axi_bresp,
    input  wire         m_axi_bvalid,
    output logic        m_axi_bready,

    input  wire  [8*STREAM_BYTES-1:0] s_axis_tdata,
    input  wire                       s_axis_tvalid,
    output logic                      s_axis_tready
);

    localparam int BEAT_BYTES = 8, BURST_BEATS = 16, FIFO_BEATS = 32;
    localparam int HOLD_BYTES = STREAM_BYTES + BEAT_BYTES;
    localparam int FILL_BITS = $clog2(HOLD_BYTES + 1);
    localparam int WORD_BITS = $clog2(FRAME_WORDS + 1);
    localparam int LEVEL_BITS = $clog2(FIFO_BEATS) + 1;

    if (STREAM_BYTES < 1 || FRAME_WORDS < 1) begin : gen_check
        $fatal(1, "%m: STREAM_BYTES and FRAME_WORDS must be at least 1");
    end

    typedef enum logic [2:0] {IDLE, PREPARE, COLLECT, ADDRESS, DATA, RESPONSE} state_e;
    state_e state_q;

    // Bytes of the transfer: the product has four cycles, so that it fits into pipelined multipliers.
    logic [2:0]  prepare_q;
    logic [47:0] product_q[2:0];
    always_ff @(posedge clk) begin
        product_q[0] <= 48'(frames[23:0]) * 48'(FRAME_WORDS * STREAM_BYTES);
        product_q[1] <= product_q[0];
        product_q[2] <= product_q[1];
    end

    wire running = state_q != IDLE && state_q != PREPARE;

    // Bytes between words and beats; the lowest are the oldest.
    logic [8*HOLD_BYTES-1:0] hold_q, hold_put;
    logic [FILL_BITS-1:0]    fill_q, fill_put;
    logic [31:0]             frames_left_q;
    logic [WORD_BITS-1:0]    words_left_q;

    logic [LEVEL_BITS-1:0] level;
    wire all_in = frames_left_q == '0;
    wire beat_valid = running && (fill_q >= FILL_BITS'(BEAT_BYTES) || (all_in && fill_q != '0));
    wire put = beat_valid && level < LEVEL_BITS'(FIFO_BEATS);
    wire partial = fill_q < FILL_BITS'(BEAT_BYTES);
    wire [7:0] strobe = partial ? 8'((9'd1 << fill_q) - 9'd1) : 8'hFF;

    assign hold_put      = put ? hold_q >> (8 * BEAT_BYTES) : hold_q;
    assign fill_put      = !put ? fill_q : partial ? '0 : fill_q - FILL_BITS'(BEAT_BYTES);
    assign s_axis_tready = running && !all_in && fill_put <= FILL_BITS'(BEAT_BYTES);
    wire taken     = s_axis_tvalid && s_axis_tready;
    wire last_word = words_left_q == WORD_BITS'(1);
    assign frame_done = taken && last_word;

    logic [44:0] beats_left_q;
    logic [4:0]  in_burst_q;
    wire [4:0] burst_beats = beats_left_q > 45'(BURST_BEATS) ? 5'(BURST_BEATS) : beats_left_q[4:0];

    logic beat_out_valid;
    assign m_axi_wvalid = state_q == DATA && beat_out_valid;
    assign m_axi_wlast  = in_burst_q == 5'd1;
    wire beat_sent = m_axi_wvalid && m_axi_wready;

    assign m_axi_bready = state_q == RESPONSE;
    assign memory_error = m_axi_bvalid && m_axi_bready && m_axi_bresp != 2'b00;

    dma_fifo #(.WIDTH(72), .DEPTH(FIFO_BEATS)) fifo (
        .clk, .rst, .in_data({strobe, hold_q[63:0]}), .in_valid(put),
        .out_data({m_axi_wstrb, m_axi_wdata}), .out_valid(beat_out_valid), .out_ready(state_q == DATA && m_axi_wready),
        .level
    );

    always_ff @(posedge clk) begin
        done          <= 1'b0;
        address_error <= 1'b0;

        hold_q <= hold_put;
        fill_q <= fill_put;
        if (taken) begin
            hold_q <= hold_put | ((8 * HOLD_BYTES)'(s_axis_tdata) << (8 * fill_put));
            fill_q <= fill_put + FILL_BITS'(STREAM_BYTES);
            words_left_q <= last_word ? WORD_BITS'(FRAME_WORDS) : words_left_q - 1'b1;
            if (last_word) frames_left_q <= frames_left_q - 32'd1;
        end

        case (state_q)
            IDLE: if (start) begin
                state_q   <= PREPARE;
                prepare_q <= 3'd4;
            end
            PREPARE: begin
                prepare_q <= prepare_q - 3'd1;
                m_axi_awaddr  <= address[39:0];
                beats_left_q  <= 45'((product_q[2] + 48'd7) >> 3);
                frames_left_q <= {8'd0, frames[23:0]};
                words_left_q  <= WORD_BITS'(FRAME_WORDS);
                hold_q        <= '0;
                fill_q        <= '0;
                if (prepare_q == 3'd0) begin
                    state_q <= COLLECT;
                    if (address[6:0] != '0 || address[63:40] != '0 || frames[31:24] != '0) begin
                        address_error <= 1'b1;
                        beats_left_q  <= '0;
                        frames_left_q <= '0;
                    end
                end
            end
            COLLECT: begin
                m_axi_awlen <= 8'(burst_beats) - 8'd1;
                in_burst_q  <= burst_beats;
                if (beats_left_q == '0) begin
                    done    <= 1'b1;
                    state_q <= IDLE;
                end else if (level >= LEVEL_BITS'(burst_beats)) begin
                    m_axi_awvalid <= 1'b1;
                    state_q       <= ADDRESS;
                end
            end
            ADDRESS: if (m_axi_awready) begin
                m_axi_awvalid <= 1'b0;
                state_q       <= DATA;
            end
            DATA: if (beat_sent) begin
                in_burst_q   <= in_burst_q - 5'd1;
                beats_left_q <= beats_left_q - 45'd1;
                if (m_axi_wlast) state_q <= RESPONSE;
            end
            default: if (m_axi_bvalid) begin
                m_axi_awaddr <= m_axi_awaddr + 40'(BURST_BEATS * BEAT_BYTES);
                state_q      <= COLLECT;
            end
        endcase

        if (rst) begin
            state_q <= IDLE;
            {done, address_error, m_axi_awvalid} <= '0;
            frames_left_q <= '0;
            fill_q        <= '0;
        end
    end

    wire _unused = &{1'b0, address[6:0]};

endmodule

`default_nettype wire
