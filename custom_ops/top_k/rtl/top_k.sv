/// Positions of the K largest of LABELS values, largest first; among equal values the lowest position first.
///
/// One value per cycle is put into a sorted list of K: it goes below every entry that is not smaller.
///
/// Latency       2 cycles from the cycle that takes the last word to the first position if PE = 1; PE - 1 more otherwise.
/// Cycles        max(LABELS, K + 1) per frame, whatever PE is; frames follow without gap.
/// Backpressure  the next frame is taken while the positions go out, but its last value waits until all of them are out.
///               `s_axis_tready` comes from registers.
/// Overflow      impossible through the handshake.
`default_nettype none

module top_k #(
    // Values per frame, >= 2.
    parameter int unsigned LABELS = 10,
    // Values per input word; divides LABELS.
    parameter int unsigned PE = 2,
    // Positions per frame, 1 to LABELS, one per output word.
    parameter int unsigned K = 3,
    // Bits and sign of a value.
    parameter int unsigned IN_BITS = 8,
    parameter bit IN_SIGNED = 1'b1,
    // Derived: bits of a position.
    localparam int unsigned INDEX_BITS = $clog2(LABELS)
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [PE*IN_BITS-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [INDEX_BITS-1:0]       m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready
);

  localparam int unsigned LANE_BITS = (PE > 1) ? $clog2(PE) : 1;
  localparam int unsigned LEFT_BITS = $clog2(K + 1);

  if (LABELS < 2) begin : gen_check_labels
    $fatal(1, "%m: LABELS must be at least 2, not %0d", LABELS);
  end
  if (PE < 1 || LABELS % PE != 0) begin : gen_check_pe
    $fatal(1, "%m: PE must divide LABELS, not PE=%0d with LABELS=%0d", PE, LABELS);
  end
  if (K < 1 || K > LABELS) begin : gen_check_k
    $fatal(1, "%m: K must be 1 to LABELS, not K=%0d with LABELS=%0d", K, LABELS);
  end

  typedef struct packed {
    logic                  filled;
    logic signed [IN_BITS:0] value;  // one more bit makes unsigned values signed
    logic [INDEX_BITS-1:0] index;
  } entry_t;

  // The word whose values are being put in, the next one in the least significant place.
  logic [PE*IN_BITS-1:0] word_q;
  logic word_valid_q;
  logic [LANE_BITS-1:0] lane_q;
  logic [INDEX_BITS-1:0] index_q;
  entry_t [K-1:0] list_d, list_q;

  // Positions that go out, the next one at index 0.
  logic [K-1:0][INDEX_BITS-1:0] output_q;
  logic [LEFT_BITS-1:0] left_q;

  // Low during reset, so that the input waits then.
  logic awake_q;
  always_ff @(posedge clk) awake_q <= !rst;

  wire logic last_lane = lane_q == LANE_BITS'(PE - 1);
  wire logic last_value = index_q == INDEX_BITS'(LABELS - 1);
  wire logic insert = word_valid_q && (!last_value || left_q == '0);

  assign s_axis_tready = awake_q && (!word_valid_q || (insert && last_lane));
  assign m_axis_tvalid = left_q != '0;
  assign m_axis_tdata = output_q[0];

  entry_t candidate;
  assign candidate.filled = 1'b1;
  assign candidate.value = {IN_SIGNED && word_q[IN_BITS-1], word_q[IN_BITS-1:0]};
  assign candidate.index = index_q;

  always_comb begin
    for (int unsigned k = 0; k < K; k++) begin
      automatic logic stays = list_q[k].filled && candidate.value <= list_q[k].value;
      automatic logic below = k > 0 && !(list_q[(k > 0) ? k-1 : 0].filled
          && candidate.value <= list_q[(k > 0) ? k-1 : 0].value);
      list_d[k] = stays ? list_q[k] : below ? list_q[(k > 0) ? k-1 : 0] : candidate;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      word_valid_q <= 1'b0;
      lane_q <= '0;
      index_q <= '0;
      left_q <= '0;
      for (int unsigned k = 0; k < K; k++) list_q[k].filled <= 1'b0;
    end else begin
      if (s_axis_tvalid && s_axis_tready) word_valid_q <= 1'b1;
      else if (insert && last_lane) word_valid_q <= 1'b0;
      if (insert) begin
        lane_q <= last_lane ? '0 : lane_q + 1'b1;
        index_q <= last_value ? '0 : index_q + 1'b1;
        list_q <= list_d;
      end
      if (insert && last_value) begin
        for (int unsigned k = 0; k < K; k++) list_q[k].filled <= 1'b0;
        left_q <= LEFT_BITS'(K);
      end else if (m_axis_tvalid && m_axis_tready) left_q <= left_q - 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (s_axis_tvalid && s_axis_tready) word_q <= s_axis_tdata;
    else if (insert) word_q <= word_q >> IN_BITS;
    if (insert && last_value) begin
      for (int unsigned k = 0; k < K; k++) output_q[k] <= list_d[k].index;
    end else if (m_axis_tvalid && m_axis_tready) output_q <= output_q >> INDEX_BITS;
  end

  stream_checker #(
      .DATA_WIDTH(PE * IN_BITS)
  ) check_input (
      .tdata(s_axis_tdata),
      .tvalid(s_axis_tvalid),
      .tready(s_axis_tready),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(INDEX_BITS)
  ) check_output (
      .tdata(m_axis_tdata),
      .tvalid(m_axis_tvalid),
      .tready(m_axis_tready),
      .*
  );

endmodule

`default_nettype wire
