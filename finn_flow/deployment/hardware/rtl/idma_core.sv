/// Reads frames from memory and sends them as a stream: FRAME_WORDS words of STREAM_BYTES bytes a frame, without gaps.
///
/// AXI4 reads of at most 128 bytes on a 64-bit bus, at multiples of 128, so that none crosses a border of 4 KiB. A
/// burst is only asked for when there is room for all of it, so RREADY is always high. The data of a beat that the
/// memory answers with an error goes into the stream all the same: the transfer ends, and the error is reported.
///
/// Latency       7 cycles from `start` to ARVALID.
/// Throughput    1 word per cycle, as far as the memory gives 8 bytes per cycle.
/// Backpressure  `m_axis_tvalid` never waits for `m_axis_tready`, ARVALID never for ARREADY.
/// Overflow      impossible: room for a burst is reserved when it is asked for.
`default_nettype none

module idma_core #(
    // Bytes of a word of the stream, >= 1.
    parameter int unsigned STREAM_BYTES = 1,
    // Words of a frame, >= 1.
    parameter int unsigned FRAME_WORDS = 1
) (
    input  wire logic                      clk,
    input  wire logic                      rst,

    // High for one cycle; `address` and `frames` hold until `done`.
    input  wire logic                      start,
    // A multiple of 128, below 2^40.
    input  wire logic [63:0]               address,
    // Below 2^24.
    input  wire logic [31:0]               frames,
    output logic                           done,
    output logic                           memory_error,
    output logic                           address_error,
    output logic                           frame_done,

    output logic [39:0]                    m_axi_araddr,
    output logic [7:0]                     m_axi_arlen,
    output logic                           m_axi_arvalid,
    input  wire logic                      m_axi_arready,
    input  wire logic [63:0]               m_axi_rdata,
    input  wire logic [1:0]                m_axi_rresp,
    input  wire logic                      m_axi_rvalid,
    output logic                           m_axi_rready,

    output logic [8*STREAM_BYTES-1:0]      m_axis_tdata,
    output logic                           m_axis_tvalid,
    input  wire logic                      m_axis_tready
);

  localparam int unsigned BEAT_BYTES = 8;
  localparam int unsigned BURST_BEATS = 16;
  localparam int unsigned FIFO_BEATS = 64;
  localparam int unsigned HOLD_BYTES = STREAM_BYTES + BEAT_BYTES;
  localparam int unsigned FILL_WIDTH = $clog2(HOLD_BYTES + 1);
  localparam int unsigned WORD_WIDTH = $clog2(FRAME_WORDS + 1);
  localparam int unsigned ROOM_WIDTH = $clog2(FIFO_BEATS + 1);

  if (STREAM_BYTES < 1) begin : gen_check_stream
    $fatal(1, "%m: STREAM_BYTES must be at least 1");
  end
  if (FRAME_WORDS < 1) begin : gen_check_frame
    $fatal(1, "%m: FRAME_WORDS must be at least 1");
  end

  typedef enum logic [1:0] {
    IDLE,
    PREPARE,
    RUN
  } state_e;
  state_e state_q;

  // Bytes of the transfer: the product has four cycles, so that it fits into pipelined multipliers.
  logic [2:0] prepare_q;
  logic [47:0] product_q[2:0];
  always_ff @(posedge clk) begin
    product_q[0] <= 48'(frames[23:0]) * 48'(FRAME_WORDS * STREAM_BYTES);
    product_q[1] <= product_q[0];
    product_q[2] <= product_q[1];
  end
  wire logic impossible = address[6:0] != '0 || address[63:40] != '0 || frames[31:24] != '0;

  // Addresses: as many beats as are left, at most a burst, when the FIFO has room for a burst.
  logic [44:0] beats_left_q;
  logic [ROOM_WIDTH-1:0] room_q;
  wire logic [4:0] burst_beats = beats_left_q > 45'(BURST_BEATS) ? 5'(BURST_BEATS) : beats_left_q[4:0];
  wire logic may_ask = beats_left_q != '0 && room_q >= ROOM_WIDTH'(BURST_BEATS);
  wire logic ask = state_q == RUN && may_ask && (!m_axi_arvalid || m_axi_arready);

  // Bytes between beats and words; the lowest are the oldest.
  logic [63:0] beat;
  logic beat_valid;
  logic [8*HOLD_BYTES-1:0] hold_q, hold_sent;
  logic [FILL_WIDTH-1:0] fill_q, fill_sent;
  logic [31:0] frames_left_q;
  // Whether any frame is left, and whether just one is: comparing 32 bits takes too long beside the stream's handshake.
  logic any_left_q, one_left_q;
  logic [WORD_WIDTH-1:0] words_left_q;

  assign m_axis_tdata = hold_q[8*STREAM_BYTES-1:0];
  assign m_axis_tvalid = state_q == RUN && any_left_q && fill_q >= FILL_WIDTH'(STREAM_BYTES);
  wire logic sent = m_axis_tvalid && m_axis_tready;
  wire logic last_word = words_left_q == WORD_WIDTH'(1);

  assign hold_sent = sent ? hold_q >> (8 * STREAM_BYTES) : hold_q;
  assign fill_sent = sent ? fill_q - FILL_WIDTH'(STREAM_BYTES) : fill_q;
  wire logic beat_ready = state_q == RUN && fill_sent <= FILL_WIDTH'(STREAM_BYTES);
  wire logic beat_taken = beat_valid && beat_ready;

  assign m_axi_rready = 1'b1;
  assign memory_error = m_axi_rvalid && m_axi_rresp != 2'b00;
  assign frame_done = sent && last_word;

  logic [ROOM_WIDTH-1:0] unused_level;
  dma_fifo #(
      .DATA_WIDTH(64),
      .DEPTH(FIFO_BEATS)
  ) fifo (
      .clk,
      .rst,
      .in_data(m_axi_rdata),
      .in_valid(m_axi_rvalid),
      .out_data(beat),
      .out_valid(beat_valid),
      .out_ready(beat_ready),
      .level(unused_level)
  );

  // Data and arguments, which count only where the state says so.
  always_ff @(posedge clk) begin
    if (ask) begin
      m_axi_arlen <= 8'(burst_beats) - 8'd1;
      beats_left_q <= beats_left_q - 45'(burst_beats);
    end
    if (m_axi_arvalid && m_axi_arready) m_axi_araddr <= m_axi_araddr + 40'(BURST_BEATS * BEAT_BYTES);
    hold_q <= beat_taken ? hold_sent | ((8 * HOLD_BYTES)'(beat) << (8 * fill_sent)) : hold_sent;
    if (sent) words_left_q <= last_word ? WORD_WIDTH'(FRAME_WORDS) : words_left_q - 1'b1;
    if (state_q == PREPARE) begin
      m_axi_araddr <= address[39:0];
      beats_left_q <= impossible ? '0 : 45'((product_q[2] + 48'd7) >> 3);
      words_left_q <= WORD_WIDTH'(FRAME_WORDS);
      hold_q <= '0;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state_q <= IDLE;
      prepare_q <= 3'd0;
      done <= 1'b0;
      address_error <= 1'b0;
      m_axi_arvalid <= 1'b0;
      room_q <= ROOM_WIDTH'(FIFO_BEATS);
      frames_left_q <= '0;
      any_left_q <= 1'b0;
      one_left_q <= 1'b0;
      fill_q <= '0;
    end else begin
      done <= 1'b0;
      address_error <= 1'b0;
      if (m_axi_arready) m_axi_arvalid <= 1'b0;
      if (ask) m_axi_arvalid <= 1'b1;
      room_q <= room_q - (ask ? ROOM_WIDTH'(burst_beats) : '0) + ROOM_WIDTH'(beat_taken);
      fill_q <= beat_taken ? fill_sent + FILL_WIDTH'(BEAT_BYTES) : fill_sent;
      if (sent && last_word) begin
        frames_left_q <= frames_left_q - 32'd1;
        any_left_q <= !one_left_q;
        one_left_q <= frames_left_q == 32'd2;
      end

      case (state_q)
        IDLE:
        if (start) begin
          state_q <= PREPARE;
          prepare_q <= 3'd4;
        end
        PREPARE: begin
          prepare_q <= prepare_q - 3'd1;
          frames_left_q <= impossible ? '0 : {8'd0, frames[23:0]};
          any_left_q <= frames_left_q != '0;
          one_left_q <= frames_left_q == 32'd1;
          fill_q <= '0;
          if (prepare_q == 3'd0) begin
            state_q <= RUN;
            address_error <= impossible;
          end
        end
        default:
        if (!any_left_q) begin
          done <= 1'b1;
          state_q <= IDLE;
        end
      endcase
    end
  end

endmodule

`default_nettype wire
