/// Table of codes: each element is replaced by its entry in its channel's table.
///
/// Latency       4 cycles: address, read, output FIFO (2).
/// Throughput    1 word per cycle.
/// Backpressure  `s_axis_tready` comes from a register; nothing combinational from `m_axis_tready`.
/// Overflow      none.
`default_nettype none

module lookup #(
    // Words after which tables repeat (channel folds; 1 if all channels share theirs), >= 1.
    parameter int unsigned CF = 2,
    // Channels per word, >= 1.
    parameter int unsigned PE = 2,
    // Bits of a code; a table has 2^IN_BITS entries, by the code's bits.
    parameter int unsigned IN_BITS = 4,
    // Bits of an entry.
    parameter int unsigned OUT_BITS = 8,
    // Beginning of the names of the tables' files, one for each channel of a word: "<TABLE_FILES><channel>.dat".
    parameter TABLE_FILES = "",
    // Memory of the tables.
    /* verilator lint_off UNUSEDPARAM */  // read by synthesis only, in the attribute of the memories
    parameter ROM_STYLE = "auto"
    /* verilator lint_on UNUSEDPARAM */
) (
    input  wire logic                   clk,
    input  wire logic                   rst,
    input  wire logic [PE*IN_BITS-1:0]  s_axis_tdata,
    input  wire logic                   s_axis_tvalid,
    output logic                        s_axis_tready,
    output logic [PE*OUT_BITS-1:0]      m_axis_tdata,
    output logic                        m_axis_tvalid,
    input  wire logic                   m_axis_tready
);

  localparam int unsigned FOLD_BITS = (CF > 1) ? $clog2(CF) : 1;
  localparam int unsigned ADDRESS_BITS = ((CF > 1) ? FOLD_BITS : 0) + IN_BITS;
  localparam int unsigned LATENCY = 2;

  if (CF < 1 || PE < 1) begin : gen_check_sizes
    $fatal(1, "%m: CF and PE must be at least 1, not %0d and %0d", CF, PE);
  end
  if (IN_BITS < 1 || OUT_BITS < 1) begin : gen_check_bits
    $fatal(1, "%m: IN_BITS and OUT_BITS must be at least 1, not %0d and %0d", IN_BITS, OUT_BITS);
  end

  logic [LATENCY-1:0] take_q;
  logic [FOLD_BITS-1:0] fold_q;
  wire logic take = s_axis_tvalid && s_axis_tready;

  always_ff @(posedge clk) begin
    if (rst) begin
      take_q <= '0;
      fold_q <= '0;
    end else begin
      take_q <= {take_q[LATENCY-2:0], take};
      if (take) fold_q <= (fold_q == FOLD_BITS'(CF - 1)) ? '0 : fold_q + 1'b1;
    end
  end

  logic [PE-1:0][OUT_BITS-1:0] entries_q;
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    (* rom_style = ROM_STYLE *)
    logic [OUT_BITS-1:0] rom[2**ADDRESS_BITS];
    initial $readmemh($sformatf("%s%0d.dat", TABLE_FILES, p), rom);

    logic [ADDRESS_BITS-1:0] address_q;
    if (CF > 1) begin : gen_folds
      always_ff @(posedge clk) address_q <= {fold_q, s_axis_tdata[p*IN_BITS+:IN_BITS]};
    end else begin : gen_shared
      always_ff @(posedge clk) address_q <= s_axis_tdata[p*IN_BITS+:IN_BITS];
    end
    always_ff @(posedge clk) entries_q[p] <= rom[address_q];
  end

  credit_fifo #(
      .DATA_WIDTH(PE * OUT_BITS),
      .DEPTH(LATENCY + 4)
  ) fifo (
      .credit(s_axis_tready),
      .reserve(take),
      .push(take_q[LATENCY-1]),
      .push_data(entries_q),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(PE * IN_BITS)
  ) check_input (
      .tdata(s_axis_tdata),
      .tvalid(s_axis_tvalid),
      .tready(s_axis_tready),
      .*
  );

  stream_checker #(
      .DATA_WIDTH(PE * OUT_BITS)
  ) check_output (
      .tdata(m_axis_tdata),
      .tvalid(m_axis_tvalid),
      .tready(m_axis_tready),
      .*
  );

endmodule

`default_nettype wire
