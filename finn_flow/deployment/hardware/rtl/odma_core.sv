/// Takes frames from a stream and writes them to memory: FRAME_WORDS words of STREAM_BYTES bytes a frame, without gaps.
///
/// AXI4 writes of at most 128 bytes on a 64-bit bus, at multiples of 128, so that none crosses a border of 4 KiB; one
/// burst at a time. A burst starts when all its data is here, so W is never held up by the stream. Address and data are
/// offered at once: a memory may take either first, or wait for both. Bytes behind the last frame are not written.
///
/// Latency       3 cycles from a burst's last word to AWVALID and WVALID.
/// Throughput    1 word per cycle, as far as the memory takes a burst and answers it while the next is collected.
/// Backpressure  AWVALID and WVALID never wait for their READY; `s_axis_tready` depends on registers alone.
/// Overflow      impossible: a beat only moves on when there is room.
`default_nettype none

module odma_core #(
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

    output logic [39:0]                    m_axi_awaddr,
    output logic [7:0]                     m_axi_awlen,
    output logic                           m_axi_awvalid,
    input  wire logic                      m_axi_awready,
    output logic [63:0]                    m_axi_wdata,
    output logic [7:0]                     m_axi_wstrb,
    output logic                           m_axi_wlast,
    output logic                           m_axi_wvalid,
    input  wire logic                      m_axi_wready,
    input  wire logic [1:0]                m_axi_bresp,
    input  wire logic                      m_axi_bvalid,
    output logic                           m_axi_bready,

    input  wire logic [8*STREAM_BYTES-1:0] s_axis_tdata,
    input  wire logic                      s_axis_tvalid,
    output logic                           s_axis_tready
);

  localparam int unsigned BEAT_BYTES = 8;
  localparam int unsigned BURST_BEATS = 16;
  localparam int unsigned FIFO_BEATS = 32;
  localparam int unsigned HOLD_BYTES = STREAM_BYTES + BEAT_BYTES;
  localparam int unsigned FILL_WIDTH = $clog2(HOLD_BYTES + 1);
  localparam int unsigned WORD_WIDTH = $clog2(FRAME_WORDS + 1);
  localparam int unsigned LEVEL_WIDTH = $clog2(FIFO_BEATS + 1);

  if (STREAM_BYTES < 1) begin : gen_check_stream
    $fatal(1, "%m: STREAM_BYTES must be at least 1");
  end
  if (FRAME_WORDS < 1) begin : gen_check_frame
    $fatal(1, "%m: FRAME_WORDS must be at least 1");
  end

  typedef enum logic [2:0] {
    IDLE,
    PREPARE,
    COLLECT,
    WRITE,
    RESPONSE
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

  // Bytes between words and beats; the lowest are the oldest.
  wire logic running = state_q == COLLECT || state_q == WRITE || state_q == RESPONSE;
  logic [8*HOLD_BYTES-1:0] hold_q, hold_put;
  logic [FILL_WIDTH-1:0] fill_q, fill_put;
  logic [31:0] frames_left_q;
  logic [WORD_WIDTH-1:0] words_left_q;
  logic [LEVEL_WIDTH-1:0] level;

  wire logic all_in = frames_left_q == '0;
  wire logic partial = fill_q < FILL_WIDTH'(BEAT_BYTES);
  wire logic put = running && (!partial || (all_in && fill_q != '0)) && level < LEVEL_WIDTH'(FIFO_BEATS);
  wire logic [7:0] strobe = partial ? 8'((9'd1 << fill_q) - 9'd1) : 8'hFF;

  assign hold_put = put ? hold_q >> (8 * BEAT_BYTES) : hold_q;
  assign fill_put = !put ? fill_q : partial ? '0 : fill_q - FILL_WIDTH'(BEAT_BYTES);
  assign s_axis_tready = running && !all_in && fill_put <= FILL_WIDTH'(BEAT_BYTES);
  wire logic taken = s_axis_tvalid && s_axis_tready;
  wire logic last_word = words_left_q == WORD_WIDTH'(1);
  assign frame_done = taken && last_word;

  // A burst: its address until it is taken, its beats until the last is taken, then its answer.
  logic [44:0] beats_left_q;
  logic [4:0] in_burst_q;
  logic beat_valid;
  wire logic [4:0] burst_beats = beats_left_q > 45'(BURST_BEATS) ? 5'(BURST_BEATS) : beats_left_q[4:0];
  wire logic collected = state_q == COLLECT && beats_left_q != '0 && level >= LEVEL_WIDTH'(burst_beats);

  assign m_axi_wvalid = state_q == WRITE && in_burst_q != '0 && beat_valid;
  assign m_axi_wlast = in_burst_q == 5'd1;
  wire logic beat_sent = m_axi_wvalid && m_axi_wready;

  assign m_axi_bready = state_q == RESPONSE;
  assign memory_error = m_axi_bvalid && m_axi_bready && m_axi_bresp != 2'b00;

  dma_fifo #(
      .DATA_WIDTH(72),
      .DEPTH(FIFO_BEATS)
  ) fifo (
      .clk,
      .rst,
      .in_data({strobe, hold_q[63:0]}),
      .in_valid(put),
      .out_data({m_axi_wstrb, m_axi_wdata}),
      .out_valid(beat_valid),
      .out_ready(beat_sent),
      .level
  );

  // Data and arguments, which count only where the state says so.
  always_ff @(posedge clk) begin
    hold_q <= taken ? hold_put | ((8 * HOLD_BYTES)'(s_axis_tdata) << (8 * fill_put)) : hold_put;
    if (taken) words_left_q <= last_word ? WORD_WIDTH'(FRAME_WORDS) : words_left_q - 1'b1;
    if (state_q == COLLECT) m_axi_awlen <= 8'(burst_beats) - 8'd1;
    if (state_q == RESPONSE && m_axi_bvalid) m_axi_awaddr <= m_axi_awaddr + 40'(BURST_BEATS * BEAT_BYTES);
    if (beat_sent) beats_left_q <= beats_left_q - 45'd1;
    if (state_q == PREPARE) begin
      m_axi_awaddr <= address[39:0];
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
      m_axi_awvalid <= 1'b0;
      in_burst_q <= '0;
      frames_left_q <= '0;
      fill_q <= '0;
    end else begin
      done <= 1'b0;
      address_error <= 1'b0;
      if (m_axi_awready) m_axi_awvalid <= 1'b0;
      if (beat_sent) in_burst_q <= in_burst_q - 5'd1;
      fill_q <= taken ? fill_put + FILL_WIDTH'(STREAM_BYTES) : fill_put;
      if (taken && last_word) frames_left_q <= frames_left_q - 32'd1;

      case (state_q)
        IDLE:
        if (start) begin
          state_q <= PREPARE;
          prepare_q <= 3'd4;
        end
        PREPARE: begin
          prepare_q <= prepare_q - 3'd1;
          frames_left_q <= impossible ? '0 : {8'd0, frames[23:0]};
          fill_q <= '0;
          if (prepare_q == 3'd0) begin
            state_q <= COLLECT;
            address_error <= impossible;
          end
        end
        COLLECT:
        if (beats_left_q == '0) begin
          done <= 1'b1;
          state_q <= IDLE;
        end else if (collected) begin
          m_axi_awvalid <= 1'b1;
          in_burst_q <= burst_beats;
          state_q <= WRITE;
        end
        WRITE:
        if ((!m_axi_awvalid || m_axi_awready) && (in_burst_q == '0 || (beat_sent && m_axi_wlast))) begin
          state_q <= RESPONSE;
        end
        default:
        if (m_axi_bvalid) begin
          state_q <= COLLECT;
        end
      endcase
    end
  end

endmodule

`default_nettype wire
