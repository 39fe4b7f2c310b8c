/// Looks each word up in a table read from a file; for the tests of the simulation engine.
module lookup #(
    parameter TABLE = "table.mem"
) (
    input  logic clk,
    input  logic rst,
    input  logic [1:0] s_axis_tdata,
    input  logic s_axis_tvalid,
    output logic s_axis_tready,
    output logic [7:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  logic m_axis_tready
);
    logic [7:0] mem[4];
    initial $readmemh(TABLE, mem);

    assign s_axis_tready = m_axis_tready && !rst;
    assign m_axis_tvalid = s_axis_tvalid && !rst;
    assign m_axis_tdata = mem[s_axis_tdata];
endmodule
