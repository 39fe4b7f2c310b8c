/// Output FIFO of a pipeline that cannot stop: a result's place is reserved before its computation starts.
///
/// A step that will give a result raises `reserve` in a cycle in which `credit` is high; the result comes with `push` any
/// number of cycles later. For a stream that can wait at its input use `stream_queue`.
///
/// Latency       2 cycles from `push` to `m_axis_tvalid`.
/// Throughput    1 word per cycle if DEPTH is at least the cycles from `reserve` to `push` plus 3.
/// Backpressure  `credit` comes from a register: nothing combinational from `m_axis_tready`.
/// Overflow      impossible as long as every push was reserved (asserted).
`default_nettype none

module credit_fifo #(
    // Bits of a word, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Words that may be reserved or waiting at once, >= 1; up to 32 cost one shift-register LUT per bit.
    parameter int unsigned DEPTH = 16
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    // Takes one place; only while `credit` is high.
    input  wire logic                  reserve,
    output logic                       credit,
    // Brings a word into a reserved place.
    input  wire logic                  push,
    input  wire logic [DATA_WIDTH-1:0] push_data,
    output logic [DATA_WIDTH-1:0]      m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready
);

  localparam int unsigned COUNT_WIDTH = $clog2(DEPTH + 1);
  localparam int unsigned POINTER_WIDTH = (DEPTH > 1) ? $clog2(DEPTH) : 1;

  if (DATA_WIDTH < 1) begin : gen_check_width
    $fatal(1, "%m: DATA_WIDTH must be at least 1");
  end
  if (DEPTH < 1) begin : gen_check_depth
    $fatal(1, "%m: DEPTH must be at least 1");
  end

  // Newest word at index 0; no reset, so that it maps to shift-register LUTs.
  logic [DATA_WIDTH-1:0] shift_q[DEPTH-1:0];
  // Place of the oldest word; one below 0 while none waits.
  logic [POINTER_WIDTH-1:0] oldest_q;
  logic waiting_q;
  logic [COUNT_WIDTH-1:0] free_q;
  logic credit_q;
  logic [DATA_WIDTH-1:0] output_data_q;
  logic output_valid_q;

  wire logic pop = output_valid_q && m_axis_tready;
  wire logic load = waiting_q && (!output_valid_q || m_axis_tready);

  assign credit = credit_q;
  assign m_axis_tdata = output_data_q;
  assign m_axis_tvalid = output_valid_q;

  always_ff @(posedge clk) begin
    if (push) begin
      shift_q[0] <= push_data;
      for (int unsigned i = 1; i < DEPTH; i++) shift_q[i] <= shift_q[i-1];
    end
    if (load) output_data_q <= shift_q[oldest_q];
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      oldest_q <= '1;
      waiting_q <= 1'b0;
      free_q <= COUNT_WIDTH'(DEPTH);
      credit_q <= 1'b0;
      output_valid_q <= 1'b0;
    end else begin
      oldest_q <= oldest_q + POINTER_WIDTH'(push) - POINTER_WIDTH'(load);
      waiting_q <= push || (load ? oldest_q != '0 : waiting_q);
      free_q <= free_q + COUNT_WIDTH'(pop) - COUNT_WIDTH'(reserve);
      // Whether any place is free then; `reserve` comes late, so that it must not go through the sum.
      credit_q <= pop || (reserve ? free_q != COUNT_WIDTH'(1) : free_q != '0);
      if (load || pop) output_valid_q <= load;
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk) begin
    if (!rst) begin
      assert (!reserve || credit)
      else $error("%m: a place is reserved without credit: you will lose data!");
      assert (!push || load || !waiting_q || oldest_q != POINTER_WIDTH'(DEPTH - 1))
      else $error("%m: a word comes without a reserved place: you lose data!");
    end
  end
`endif

endmodule

`default_nettype wire
