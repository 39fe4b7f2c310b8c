/// Reads frames from memory and sends them as a stream: FRAME_WORDS words of STREAM_BYTES bytes a frame, one word a cycle.
/// Bursts are 128 bytes on a 64-bit bus and are only asked for when there is room for them, so R is never held up.

`default_nettype none

module idma_core #(
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

    output logic [39:0] m_axi_araddr,
    output logic [7:0]  m_axi_arlen,
    output logic        m_axi_arvalid,
    input  wire         m_axi_arready,
    input  wire  [63:0] m_axi_rdata,
    input  wire  [1:0]  m_axi_rresp,
    input  wire         m_axi_rvalid,
    output logic        m_axi_rready,

    output logic [8*STREAM_BYTES-1:0] m_axis_tdata,
    output logic                      m_axis_tvalid,
    input  wire                       m_axis_tready
);

    localparam int BEAT_BYTES = 8, BURST_BEATS = 16, FIFO_BEATS = 64;
    localparam int HOLD_BYTES = STREAM_BYTES + BEAT_BYTES;
    localparam int FILL_BITS = $clog2(HOLD_BYTES + 1);
    localparam int WORD_BITS = $clog2(FRAME_WORDS + 1);
    localparam int ROOM_BITS = $clog2(FIFO_BEATS) + 1;

    if (STREAM_BYTES < 1 || FRAME_WORDS < 1) begin : gen_check
        $fatal(1, "%m: STREAM_BYTES and FRAME_WORDS must be at least 1");
    end

    typedef enum logic [1:0] {IDLE, PREPARE, RUN} state_e;
    state_e state_q;

    // Bytes of the transfer: the product has four cycles, so that it fits into pipelined multipliers.
    logic [2:0]  prepare_q;
    logic [47:0] product_q[2:0];
    always_ff @(posedge clk) begin
        product_q[0] <= 48'(frames[23:0]) * 48'(FRAME_WORDS * STREAM_BYTES);
        product_q[1] <= product_q[0];
        product_q[2] <= product_q[1];
    end

    // Addresses: as many beats as are left, at most a burst, when the FIFO has room for a burst.
    logic [44:0]          beats_left_q;
    logic [ROOM_BITS-1:0] room_q;
    wire  [4:0]           burst_beats = beats_left_q > 45'(BURST_BEATS) ? 5'(BURST_BEATS) : beats_left_q[4:0];
    wire                  may_ask = beats_left_q != '0 && room_q >= ROOM_BITS'(BURST_BEATS);
    wire                  ask = state_q == RUN && may_ask && (!m_axi_arvalid || m_axi_arready);

    logic [63:0] beat;
    logic        beat_valid, beat_ready;
    logic [ROOM_BITS-1:0] _unused_level;

    // Bytes between beats and words; the lowest are the oldest.
    logic [8*HOLD_BYTES-1:0] hold_q, hold_sent;
    logic [FILL_BITS-1:0]    fill_q, fill_sent;
    logic [31:0]             frames_left_q;
    logic [WORD_BITS-1:0]    words_left_q;

    assign m_axis_tdata  = hold_q[8*STREAM_BYTES-1:0];
    assign m_axis_tvalid = state_q == RUN && frames_left_q != '0 && fill_q >= FILL_BITS'(STREAM_BYTES);
    wire sent       = m_axis_tvalid && m_axis_tready;
    wire last_word  = words_left_q == WORD_BITS'(1);

    assign hold_sent  = sent ? hold_q >> (8 * STREAM_BYTES) : hold_q;
    assign fill_sent  = sent ? fill_q - FILL_BITS'(STREAM_BYTES) : fill_q;
    assign beat_ready = fill_sent <= FILL_BITS'(STREAM_BYTES);

    assign m_axi_rready  = 1'b1;
    assign memory_error  = m_axi_rvalid && m_axi_rresp != 2'b00;
    assign frame_done    = sent && last_word;

    dma_fifo #(.WIDTH(64), .DEPTH(FIFO_BEATS)) fifo (
        .clk, .rst, .in_data(m_axi_rdata), .in_valid(m_axi_rvalid),
        .out_data(beat), .out_valid(beat_valid), .out_ready(beat_ready && state_q == RUN),
        .level(_unused_level)
    );

    always_ff @(posedge clk) begin
        done          <= 1'b0;
        address_error <= 1'b0;
        if (m_axi_arready) m_axi_arvalid <= 1'b0;
        if (ask) begin
            m_axi_arvalid <= 1'b1;
            m_axi_arlen   <= 8'(burst_beats) - 8'd1;
            beats_left_q  <= beats_left_q - 45'(burst_beats);
        end
        if (m_axi_arvalid && m_axi_arready) m_axi_araddr <= m_axi_araddr + 40'(BURST_BEATS * BEAT_BYTES);
        room_q <= room_q - (ask ? ROOM_BITS'(burst_beats) : '0) + ROOM_BITS'(beat_valid && beat_ready && state_q == RUN);

        hold_q <= hold_sent;
        fill_q <= fill_sent;
        if (beat_valid && beat_ready && state_q == RUN) begin
            hold_q <= hold_sent | ((8 * HOLD_BYTES)'(beat) << (8 * fill_sent));
            fill_q <= fill_sent + FILL_BITS'(BEAT_BYTES);
        end
        if (sent) begin
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
                m_axi_araddr  <= address[39:0];
                beats_left_q  <= 45'((product_q[2] + 48'd7) >> 3);
                frames_left_q <= {8'd0, frames[23:0]};
                words_left_q  <= WORD_BITS'(FRAME_WORDS);
                hold_q        <= '0;
                fill_q        <= '0;
                if (prepare_q == 3'd0) begin
                    state_q <= RUN;
                    if (address[6:0] != '0 || address[63:40] != '0 || frames[31:24] != '0) begin
                        address_error <= 1'b1;
                        beats_left_q  <= '0;
                        frames_left_q <= '0;
                    end
                end
            end
            default: if (frames_left_q == '0) begin
                done    <= 1'b1;
                state_q <= IDLE;
            end
        endcase

        if (rst) begin
            state_q <= IDLE;
            {done, address_error, m_axi_arvalid} <= '0;
            room_q        <= ROOM_BITS'(FIFO_BEATS);
            frames_left_q <= '0;
            fill_q        <= '0;
        end
    end

    wire _unused = &{1'b0, address[6:0]};

endmodule

`default_nettype wire
