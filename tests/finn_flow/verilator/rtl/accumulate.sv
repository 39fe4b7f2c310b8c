/// Sums of LENGTH words each; for the tests of the simulation engine: reset must drop a part of a sum.
module accumulate #(
    int unsigned LENGTH = 4
) (
    input  logic clk,
    input  logic rst,
    input  logic [7:0] s_axis_tdata,
    input  logic s_axis_tvalid,
    output logic s_axis_tready,
    output logic [15:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  logic m_axis_tready
);
    logic [15:0] sum;
    logic [31:0] left;

    assign s_axis_tready = !m_axis_tvalid || m_axis_tready;

    always_ff @(posedge clk) begin
        if (rst) begin
            m_axis_tvalid <= 1'b0;
            sum <= '0;
            left <= LENGTH;
        end else begin
            if (m_axis_tready) m_axis_tvalid <= 1'b0;
            if (s_axis_tvalid && s_axis_tready) begin
                if (left == 1) begin
                    m_axis_tvalid <= 1'b1;
                    m_axis_tdata <= sum + 16'(s_axis_tdata);
                    sum <= '0;
                    left <= LENGTH;
                end else begin
                    sum <= sum + 16'(s_axis_tdata);
                    left <= left - 1;
                end
            end
        end
    end
endmodule
