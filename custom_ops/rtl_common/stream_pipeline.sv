/// Handshake of a pipeline that cannot stop: a word that is taken comes out of the pipeline LATENCY cycles later and waits in
/// a FIFO until it is read.
///
/// Latency       LATENCY + 2 cycles from input to output.
/// Throughput    1 word per cycle.
/// Backpressure  `s_axis_tready` is a register: a place in the output FIFO that is kept for the next word.
/// Overflow      impossible: no word is taken without a place.
/// Reset         in no data path: it clears what says that words are there.
`default_nettype none

module stream_pipeline #(
    // Bits of a result, >= 1.
    parameter int unsigned DATA_WIDTH = 8,
    // Cycles from `take` to the result, >= 1.
    parameter int unsigned LATENCY = 3
) (
    input  wire logic                  clk,
    input  wire logic                  rst,
    input  wire logic                  s_axis_tvalid,
    output logic                       s_axis_tready,
    // Result of the word that was taken LATENCY cycles ago.
    input  wire logic [DATA_WIDTH-1:0] result,
    output logic [DATA_WIDTH-1:0]      m_axis_tdata,
    output logic                       m_axis_tvalid,
    input  wire logic                  m_axis_tready
);

  if (LATENCY < 1) begin : gen_check_latency
    $fatal(1, "%m: LATENCY must be at least 1");
  end

  logic credit, ready_q;
  logic [LATENCY-1:0] take_q;

  wire logic take = s_axis_tvalid && ready_q;
  // A place is taken as soon as there is one and the last one has been used.
  wire logic reserve = credit && (!ready_q || take);
  assign s_axis_tready = ready_q;

  always_ff @(posedge clk) begin
    if (rst) begin
      ready_q <= 1'b0;
      take_q <= '0;
    end else begin
      ready_q <= reserve || (ready_q && !take);
      take_q <= LATENCY'({take_q, take});
    end
  end

  credit_fifo #(
      .DATA_WIDTH(DATA_WIDTH),
      .DEPTH(LATENCY + 5)
  ) fifo (
      .push(take_q[LATENCY-1]),
      .push_data(result),
      .*
  );

endmodule

`default_nettype wire
