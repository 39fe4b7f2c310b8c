/// Line buffer of sliding windows: takes a map word by word and gives the taps of each window one by one, fold by fold.
///
/// Order of taps   output row, output column, fold, kernel row, kernel column (fastest). Taps beyond the map are given as well,
///                 with `tap_inside` low.
/// Latency         2 cycles from a tap's turn to `tap_valid`.
/// Cycles          one tap per cycle as soon as the rows of its window are complete.
/// Backpressure    a window begins only while `credit` is high (`reserve` marks it); its taps then come without a wait.
///                 `s_axis_tready` depends on registers only.
`default_nettype none

module window_reader #(
    // Map: rows, columns, words per pixel (channel folds), >= 1 each.
    parameter int unsigned H = 4,
    parameter int unsigned W = 4,
    parameter int unsigned CF = 1,
    // Windows: rows and columns, >= 1 each.
    parameter int unsigned OH = 4,
    parameter int unsigned OW = 4,
    // Kernel, stride and dilation, each by rows and columns, >= 1.
    parameter int unsigned KH = 3,
    parameter int unsigned KW = 3,
    parameter int unsigned SH = 1,
    parameter int unsigned SW = 1,
    parameter int unsigned DH = 1,
    parameter int unsigned DW = 1,
    // Padding above and to the left.
    parameter int unsigned TOP = 1,
    parameter int unsigned LEFT = 1,
    // Lines in the buffer, >= DH * (KH - 1) + 1 + SH.
    parameter int unsigned LINES = 4,
    // Bits of a word.
    parameter int unsigned DATA_WIDTH = 8,
    // Kind of memory: "auto", "distributed" (LUTRAM) or "block" (BRAM).
    /* verilator lint_off UNUSEDPARAM */  // read by synthesis only, in the attribute of the memory
    parameter RAM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    // Derived: bits of the number of a tap among those of all folds.
    localparam int unsigned TAP_BITS = (CF * KH * KW > 1) ? $clog2(CF * KH * KW) : 1
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic [DATA_WIDTH-1:0] s_axis_tdata,
    input  wire logic                  s_axis_tvalid,
    output logic                       s_axis_tready,
    // A window may begin.
    input  wire logic                  credit,
    // A window begins in this cycle.
    output logic                       reserve,
    // A tap: its word, whether it lies on the map, whether it is its window's first or last.
    output logic [DATA_WIDTH-1:0]      tap_data,
    output logic                       tap_valid,
    output logic                       tap_inside,
    output logic                       tap_first,
    output logic                       tap_last,
    // The number of the tap that comes in the next cycle: fold * KH * KW + row * KW + column.
    output logic [TAP_BITS-1:0]        next_tap_number
);

  localparam int unsigned ROW_BITS = $clog2(H + TOP + SH + DH * KH + OH * SH + 2) + 1;
  localparam int unsigned COLUMN_BITS = $clog2(W + LEFT + SW + DW * KW + OW * SW + 2) + 1;
  localparam int unsigned SLOT_BITS = $clog2(LINES) + 1;
  localparam int unsigned KY_BITS = (KH > 1) ? $clog2(KH) : 1;
  localparam int unsigned KX_BITS = (KW > 1) ? $clog2(KW) : 1;
  localparam int unsigned FOLD_BITS = (CF > 1) ? $clog2(CF) : 1;
  localparam int unsigned OY_BITS = (OH > 1) ? $clog2(OH) : 1;
  localparam int unsigned OX_BITS = (OW > 1) ? $clog2(OW) : 1;
  localparam int unsigned DEPTH = LINES * W * CF;
  localparam int unsigned ADDRESS_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1;
  localparam int unsigned LINE_BITS = (W * CF > 1) ? $clog2(W * CF) : 1;

  typedef logic signed [ROW_BITS-1:0] row_t;
  typedef logic signed [COLUMN_BITS-1:0] column_t;
  typedef logic [SLOT_BITS-1:0] slot_t;
  localparam row_t FIRST_ROW = -ROW_BITS'(TOP);
  localparam column_t FIRST_COLUMN = -COLUMN_BITS'(LEFT);
  // From the slot of a map's row 0 to that of the row TOP above it.
  localparam slot_t UP_TO_TOP = SLOT_BITS'((LINES - TOP % LINES) % LINES);

  if (LINES < DH * (KH - 1) + 1 + SH) begin : gen_check_lines
    $fatal(1, "%m: LINES must be at least %0d, not %0d", DH * (KH - 1) + 1 + SH, LINES);
  end

  function automatic slot_t wrapped(slot_t sum);
    return (sum >= SLOT_BITS'(LINES)) ? sum - SLOT_BITS'(LINES) : sum;
  endfunction

  function automatic row_t not_negative(row_t row);
    return (row < 0) ? '0 : row;
  endfunction

  // Writer: lines go round in the buffer; it may begin a line while there is room for it.
  slot_t write_slot_q;
  logic [LINE_BITS-1:0] write_place_q;
  row_t room_q;
  wire logic take = s_axis_tvalid && s_axis_tready;
  wire logic line_done = take && write_place_q == LINE_BITS'(W * CF - 1);
  assign s_axis_tready = !rst && room_q > 0;

  // Reader: the place of the tap whose turn it is.
  logic [KX_BITS-1:0] kx_q;
  logic [KY_BITS-1:0] ky_q;
  logic [FOLD_BITS-1:0] fold_q;
  logic [OX_BITS-1:0] ox_q;
  logic [OY_BITS-1:0] oy_q;
  row_t row_q, top_q;
  column_t column_q, left_q;
  slot_t slot_q, top_slot_q, map_slot_q;
  logic [TAP_BITS-1:0] number_q;
  // Complete lines from the first one on that this row of windows needs; negative while the map is skipped ahead of its arrival.
  row_t lines_q;

  wire logic first_tap = kx_q == '0 && ky_q == '0;
  wire logic last_kx = kx_q == KX_BITS'(KW - 1);
  wire logic last_tap = last_kx && ky_q == KY_BITS'(KH - 1);
  wire logic last_fold = last_tap && fold_q == FOLD_BITS'(CF - 1);
  wire logic last_ox = last_fold && ox_q == OX_BITS'(OW - 1);
  wire logic last_oy = last_ox && oy_q == OY_BITS'(OH - 1);

  wire row_t bottom = top_q + ROW_BITS'(DH * (KH - 1) + 1);
  wire row_t needed = ((bottom > ROW_BITS'(H)) ? ROW_BITS'(H) : bottom) - not_negative(top_q);
  wire logic step = !rst && lines_q >= needed && (credit || !first_tap);
  assign reserve = step && first_tap;

  // Lines that no later window needs.
  wire row_t next_top = top_q + ROW_BITS'(SH);
  wire row_t released = last_oy ? ROW_BITS'(H) - not_negative(top_q) : not_negative(next_top) - not_negative(top_q);
  wire row_t release_d = (step && last_ox) ? released : '0;

  wire slot_t next_map_slot = wrapped(map_slot_q + SLOT_BITS'(H % LINES));
  wire slot_t first_slot = wrapped(next_map_slot + UP_TO_TOP);
  wire slot_t next_top_slot = wrapped(top_slot_q + SLOT_BITS'(SH % LINES));

  // The memory reads two cycles after a tap's turn: its line stays until then.
  row_t release_1_q, release_2_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      write_slot_q <= '0;
      write_place_q <= '0;
      room_q <= ROW_BITS'(LINES);
      lines_q <= '0;
      release_1_q <= '0;
      release_2_q <= '0;
    end else begin
      if (take) write_place_q <= line_done ? '0 : write_place_q + 1'b1;
      if (line_done) write_slot_q <= wrapped(write_slot_q + 1'b1);
      lines_q <= lines_q + ROW_BITS'($signed({1'b0, line_done})) - release_d;
      release_1_q <= release_d;
      release_2_q <= release_1_q;
      room_q <= room_q - ROW_BITS'($signed({1'b0, line_done})) + release_2_q;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      kx_q <= '0;
      ky_q <= '0;
      fold_q <= '0;
      ox_q <= '0;
      oy_q <= '0;
      row_q <= FIRST_ROW;
      top_q <= FIRST_ROW;
      column_q <= FIRST_COLUMN;
      left_q <= FIRST_COLUMN;
      slot_q <= UP_TO_TOP;
      top_slot_q <= UP_TO_TOP;
      map_slot_q <= '0;
      number_q <= '0;
    end else if (step) begin
      kx_q <= last_kx ? '0 : kx_q + 1'b1;
      column_q <= last_kx ? left_q : column_q + COLUMN_BITS'(DW);
      number_q <= last_fold ? '0 : number_q + 1'b1;
      if (last_kx) begin
        ky_q <= last_tap ? '0 : ky_q + 1'b1;
        row_q <= last_tap ? top_q : row_q + ROW_BITS'(DH);
        slot_q <= last_tap ? top_slot_q : wrapped(slot_q + SLOT_BITS'(DH % LINES));
      end
      if (last_tap) fold_q <= last_fold ? '0 : fold_q + 1'b1;
      if (last_fold) begin
        ox_q <= last_ox ? '0 : ox_q + 1'b1;
        left_q <= last_ox ? FIRST_COLUMN : left_q + COLUMN_BITS'(SW);
        column_q <= last_ox ? FIRST_COLUMN : left_q + COLUMN_BITS'(SW);
      end
      if (last_ox) begin
        oy_q <= last_oy ? '0 : oy_q + 1'b1;
        top_q <= last_oy ? FIRST_ROW : next_top;
        row_q <= last_oy ? FIRST_ROW : next_top;
        top_slot_q <= last_oy ? first_slot : next_top_slot;
        slot_q <= last_oy ? first_slot : next_top_slot;
        if (last_oy) map_slot_q <= next_map_slot;
      end
    end
  end

  (* ram_style = RAM_STYLE *)
  logic [DATA_WIDTH-1:0] memory[DEPTH];
  wire logic [ADDRESS_BITS-1:0] write_address =
      ADDRESS_BITS'(write_slot_q) * ADDRESS_BITS'(W * CF) + ADDRESS_BITS'(write_place_q);
  logic [ADDRESS_BITS-1:0] read_address_q;
  logic valid_1_q, inside_1_q, first_1_q, last_1_q;

  always_ff @(posedge clk) begin
    if (take) memory[write_address] <= s_axis_tdata;
    read_address_q <= ADDRESS_BITS'(slot_q) * ADDRESS_BITS'(W * CF) + ADDRESS_BITS'(column_q) * ADDRESS_BITS'(CF)
        + ADDRESS_BITS'(fold_q);
    tap_data <= memory[read_address_q];
  end

  always_ff @(posedge clk) begin
    valid_1_q <= step;
    inside_1_q <= row_q >= 0 && row_q < ROW_BITS'(H) && column_q >= 0 && column_q < COLUMN_BITS'(W);
    first_1_q <= first_tap;
    last_1_q <= last_tap;
    next_tap_number <= number_q;
    tap_valid <= valid_1_q && !rst;
    tap_inside <= inside_1_q;
    tap_first <= first_1_q;
    tap_last <= last_1_q;
  end

endmodule

`default_nettype wire
