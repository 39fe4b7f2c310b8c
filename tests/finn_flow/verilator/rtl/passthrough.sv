/// One register stage on an AXI4-Stream; for the tests of the simulation engine.
module passthrough #(
    int unsigned WIDTH = 8,
    // A word of this value violates an assertion; -1: none does.
    int signed FORBIDDEN = -1,
    // The module stops taking words after this many; 0: never.
    int unsigned STOP_AFTER = 0,
    // Print a line at the start.
    bit GREET = 0
) (
    input  logic clk,
    input  logic rst,
    input  logic [WIDTH-1:0] s_axis_tdata,
    input  logic s_axis_tvalid,
    output logic s_axis_tready,
    output logic [WIDTH-1:0] m_axis_tdata,
    output logic m_axis_tvalid,
    input  logic m_axis_tready,
    output logic [31:0] count
);
    if (WIDTH == 0) $fatal(1, "%m: WIDTH must be positive");

    assign s_axis_tready = (!m_axis_tvalid || m_axis_tready) && (STOP_AFTER == 0 || count < STOP_AFTER);

    always_ff @(posedge clk) begin
        if (rst) begin
            m_axis_tvalid <= 1'b0;
            count <= '0;
        end else begin
            if (m_axis_tready) m_axis_tvalid <= 1'b0;
            if (s_axis_tvalid && s_axis_tready) begin
                m_axis_tvalid <= 1'b1;
                m_axis_tdata <= s_axis_tdata;
                count <= count + 1;
            end
        end
    end

    initial if (GREET) $display("hello from %m");

    a_forbidden: assert property (@(posedge clk) disable iff (rst)
        m_axis_tvalid && FORBIDDEN >= 0 |-> int'(m_axis_tdata) != FORBIDDEN)
        else $error("%m: the word %0d is forbidden", m_axis_tdata);

    // The engine's own duty as a master.
    a_stable: assert property (@(posedge clk) disable iff (rst)
        s_axis_tvalid && !s_axis_tready |=> s_axis_tvalid && $stable(s_axis_tdata))
        else $error("%m: the source changed its word");
endmodule
