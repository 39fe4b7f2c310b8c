/// Breaks the rules of AXI4-Stream on purpose: takes back TVALID (fault 0) or changes TDATA (fault 1) while it waits.
`default_nettype none

module faulty_stream (
    input  wire logic       clk,
    input  wire logic       rst,
    input  wire logic       fault,
    input  wire logic [7:0] s_axis_tdata,
    input  wire logic       s_axis_tvalid,
    output logic            s_axis_tready,
    output logic [7:0]      m_axis_tdata,
    output logic            m_axis_tvalid,
    input  wire logic       m_axis_tready
);

  logic toggle_q;
  always_ff @(posedge clk) toggle_q <= rst ? 1'b0 : !toggle_q;

  assign s_axis_tready = m_axis_tready && (fault || toggle_q);
  assign m_axis_tvalid = s_axis_tvalid && (fault || toggle_q);
  assign m_axis_tdata = s_axis_tdata ^ {7'b0, fault && toggle_q};

  stream_checker #(
      .DATA_WIDTH(8)
  ) check (
      .tdata(m_axis_tdata),
      .tvalid(m_axis_tvalid),
      .tready(m_axis_tready),
      .*
  );

endmodule

`default_nettype wire
