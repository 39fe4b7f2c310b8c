/// Sends one word too many after each word; for the tests of the simulation engine.
module generator (
    input  logic clk,
    input  logic rst,
    input  logic [7:0] s_axis_tdata,
    input  logic s_axis_tvalid,
    output logic s_axis_tready,
    output logic [7:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  logic m_axis_tready
);
    logic again;
    assign s_axis_tready = !again && (!m_axis_tvalid || m_axis_tready);

    always_ff @(posedge clk) begin
        if (rst) begin
            m_axis_tvalid <= 1'b0;
            again <= 1'b0;
        end else begin
            if (m_axis_tready) begin
                m_axis_tvalid <= again;
                again <= 1'b0;
            end
            if (s_axis_tvalid && s_axis_tready) begin
                m_axis_tvalid <= 1'b1;
                m_axis_tdata <= s_axis_tdata;
                again <= 1'b1;
            end
        end
    end
endmodule
