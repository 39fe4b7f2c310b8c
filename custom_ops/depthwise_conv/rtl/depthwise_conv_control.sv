/// Order of work of a depthwise convolution: which word is taken, which column is read, which output is given in each cycle.
///
/// An output lags the newest word that it needs by LAG = (P*W + P)*CF words, P = K/2. Rows are numbered on from frame to
/// frame and row v lies in line memory v mod (K-1), so a frame's last LAG outputs (its tail) need only words that are
/// already stored, and the next frame's words go where the tail has been read already. Hence five states:
///
///   FILL    takes the first LAG words of a frame; nothing to give.
///   BODY    takes a word and gives an output in each step.
///   TAIL    gives the last LAG outputs of a frame. A word of the next frame is taken along if there is one; if there
///           always was, the window holds what the next frame starts with and BODY follows at once ("locked"). Without
///           input the tail goes on alone; then FILL resumes where the input stands.
///   JOIN    one cycle after a tail that has lost its lock (and after reset): the window goes to where the input stands.
///   REPLAY  If the tail had to leave its lock while the window was already being loaded with the next frame's first P
///           columns (in row P), those columns are shifted into the window again from the line memories.
///
/// In the tail the input may fall behind the outputs but never catches up with them, so stored words are never overwritten
/// before they have been read.
///
/// What depends on the position of the newest column alone is computed a step ahead, into registers.
///
/// Cycles        H*W*CF per frame while input and output do not stall, for either stride.
/// Backpressure  `s_axis_tready` depends on registers only (through `credit`).
/// Reset         `s_axis_tready` is low from the second cycle of a reset to the first one after it.
`default_nettype none

module depthwise_conv_control #(
    // Kernel size, 3 or 5.
    parameter int unsigned K = 3,
    // Step of the outputs, 1 or 2.
    parameter int unsigned STRIDE = 1,
    // Rows and columns of a frame, > K/2.
    parameter int unsigned H = 4,
    parameter int unsigned W = 4,
    // Words per pixel, >= 1.
    parameter int unsigned CF = 2,
    // Derived: widths of addresses in a line, of the channel fold, and of the line memory's number.
    localparam int unsigned ADDRESS_BITS = $clog2(W * CF),
    localparam int unsigned FOLD_BITS = (CF > 1) ? $clog2(CF) : 1,
    localparam int unsigned PHASE_BITS = $clog2(K - 1)
) (
    input  wire logic                clk,
    input  wire logic                rst,
    input  wire logic                s_axis_tvalid,
    output logic                     s_axis_tready,
    // Whether a place for an output is free.
    input  wire logic                credit,
    // This cycle: the window moves on by a word.
    output logic                     step,
    // This cycle: an input word is taken, to be written at `write_address` of line memory `write_phase`.
    output logic                     take,
    output logic [ADDRESS_BITS-1:0]  write_address,
    output logic [PHASE_BITS-1:0]    write_phase,
    // Column that enters the window: its address, the line memory of its last row, which of its rows are inside the
    // frame, and whether its last row comes from the memory instead of the input.
    output logic [ADDRESS_BITS-1:0]  read_address,
    output logic [PHASE_BITS-1:0]    read_phase,
    output logic [K-1:0]             row_inside,
    output logic                     replay,
    // This cycle's step gives an output: its channel fold, and which columns of its window are inside the frame.
    output logic                     give,
    output logic [FOLD_BITS-1:0]     fold,
    output logic [K-1:0]             column_inside
);

  localparam int unsigned P = K / 2;
  localparam int unsigned ROW_BITS = $clog2(H);
  localparam int unsigned COLUMN_BITS = $clog2(W);

  if (K != 3 && K != 5) begin : gen_check_kernel
    $fatal(1, "%m: K must be 3 or 5, not %0d", K);
  end
  if (STRIDE != 1 && STRIDE != 2) begin : gen_check_stride
    $fatal(1, "%m: STRIDE must be 1 or 2, not %0d", STRIDE);
  end
  if (H <= P || W <= P) begin : gen_check_size
    $fatal(1, "%m: H and W must be at least K/2 + 1, not %0d and %0d", H, W);
  end
  if (CF < 1) begin : gen_check_fold
    $fatal(1, "%m: CF must be at least 1");
  end

  typedef struct packed {
    logic [ADDRESS_BITS-1:0] address;
    logic [FOLD_BITS-1:0]    fold;
    logic [COLUMN_BITS-1:0]  column;
    logic [ROW_BITS-1:0]     row;
    logic [PHASE_BITS-1:0]   phase;
  } position_t;

  // What is known of a position: which rows and columns of the window are inside the frame, whether its output is one
  // of those that STRIDE leaves, and whether it is the last one of a frame or of the first LAG words.
  typedef struct packed {
    logic [K-1:0] row_inside;
    logic [K-1:0] column_inside;
    logic         chosen;
    logic         frame_end;
    logic         lag_end;
  } view_t;

  typedef enum logic [2:0] {JOIN, FILL, REPLAY, BODY, TAIL} state_t;

  function automatic position_t following(input position_t position);
    following = position;
    following.address = position.address + 1'b1;
    following.fold = position.fold + 1'b1;
    if (position.fold == FOLD_BITS'(CF - 1)) begin
      following.fold = '0;
      following.column = position.column + 1'b1;
      if (position.column == COLUMN_BITS'(W - 1)) begin
        following.address = '0;
        following.column = '0;
        following.phase = position.phase + 1'b1;
        following.row = (position.row == ROW_BITS'(H - 1)) ? '0 : position.row + 1'b1;
      end
    end
  endfunction

  // Number of the row (column) in the middle of the window when the newest one is number n of the frame that is coming in. The
  // first P numbers still complete windows at the end of the frame (row) before.
  function automatic int unsigned middle(input int unsigned n, input int unsigned size);
    middle = (n >= P) ? n - P : n + size - P;
  endfunction

  // Which of the K rows (columns) around number `center` are inside the frame.
  function automatic logic [K-1:0] in_frame(input int unsigned center, input int unsigned size);
    for (int unsigned i = 0; i < K; i++) in_frame[i] = center + i >= P && center + i < size + P;
  endfunction

  // Middle of the newest column; its output lies in the newest column's rows, or one row above where the column has wrapped
  // round but the output's has not.
  function automatic view_t view(
      input logic [ROW_BITS-1:0] row, input logic [COLUMN_BITS-1:0] column, input logic [ADDRESS_BITS-1:0] address);
    automatic int unsigned center_row = middle(32'(row), H);
    automatic int unsigned center_column = middle(32'(column), W);
    automatic int unsigned output_row =
        (32'(column) >= P) ? center_row : (center_row == 0) ? H - 1 : center_row - 1;
    view.row_inside = in_frame(center_row, H);
    view.column_inside = in_frame(center_column, W);
    view.chosen = STRIDE == 1 || (center_column % 2 == 0 && output_row % 2 == 0);
    view.frame_end = row == ROW_BITS'(H - 1) && address == ADDRESS_BITS'(W * CF - 1);
    view.lag_end = row == ROW_BITS'(P) && address == ADDRESS_BITS'(P * CF - 1);
  endfunction

  state_t state_d, state_q;
  // The newest column's position, the one after it, and where the input stands.
  position_t read_q, next_q, write_q;
  view_t view_q;
  logic locked_d, locked_q;

  assign give = step && view_q.chosen && (state_q == BODY || state_q == TAIL);
  wire logic can = credit || (STRIDE != 1 && !view_q.chosen);
  // The input stands in row P, the first words of which the window needs at its start.
  logic in_first_row_q;

  always_comb begin
    step = 1'b0;
    s_axis_tready = 1'b0;
    case (state_q)
      FILL: begin
        s_axis_tready = 1'b1;
        step = s_axis_tvalid;
      end
      REPLAY: step = 1'b1;
      BODY: begin
        s_axis_tready = can;
        step = can && s_axis_tvalid;
      end
      TAIL: begin
        // A word that the window is to start with may only come while it is in step with the outputs.
        s_axis_tready = can && (locked_q || !in_first_row_q);
        step = can;
      end
      default: ;
    endcase
  end

  assign take = s_axis_tvalid && s_axis_tready;

  always_comb begin
    state_d = state_q;
    locked_d = locked_q;
    case (state_q)
      FILL: if (step && view_q.lag_end) state_d = BODY;
      REPLAY: if (next_q.address == write_q.address) state_d = FILL;
      BODY: begin
        locked_d = 1'b1;
        if (step && view_q.frame_end) state_d = TAIL;
      end
      TAIL: if (step) begin
        locked_d = locked_q && take;
        if (view_q.lag_end) state_d = locked_d ? BODY : JOIN;
      end
      default: state_d = (in_first_row_q && write_q.address != '0) ? REPLAY : FILL;
    endcase
  end

  // The window goes on at the following position, or after a tail without lock at the input or the beginning of row P.
  position_t goal, write_next;
  assign write_next = following(write_q);
  always_comb begin
    goal = (state_q == JOIN) ? write_q : next_q;
    if (state_q == JOIN && in_first_row_q) begin
      goal.address = '0;
      goal.fold = '0;
      goal.column = '0;
    end
  end

  always_ff @(posedge clk) begin
    if (state_q == JOIN || step) begin
      read_q <= goal;
      next_q <= following(goal);
      view_q <= view(goal.row, goal.column, goal.address);
    end
    if (rst) begin
      write_q <= '0;
      in_first_row_q <= 1'b0;
    end else if (take) begin
      write_q <= write_next;
      in_first_row_q <= write_next.row == ROW_BITS'(P);
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state_q <= JOIN;
      locked_q <= 1'b0;
    end else begin
      state_q <= state_d;
      locked_q <= locked_d;
    end
  end

  assign write_address = write_q.address;
  assign write_phase = write_q.phase;
  assign read_address = read_q.address;
  assign read_phase = read_q.phase;
  assign row_inside = view_q.row_inside;
  assign replay = state_q == REPLAY;
  assign fold = read_q.fold;
  assign column_inside = view_q.column_inside;

`ifndef SYNTHESIS
  always_ff @(posedge clk) begin
    if (!rst) begin
      assert (state_q == JOIN || state_q == TAIL || state_q == REPLAY || read_q == write_q)
      else $error("%m: input and window are out of step: outputs will be wrong!");
      assert (state_q != TAIL || !locked_q || read_q == write_q)
      else $error("%m: the tail is locked but out of step: the next frame will be wrong!");
    end
  end
`endif

endmodule

`default_nettype wire
