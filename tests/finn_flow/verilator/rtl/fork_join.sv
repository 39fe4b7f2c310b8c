/// Adds two streams, and sends the sum to two streams; for the tests of the simulation engine.
module fork_join (
    input  logic clk,
    input  logic rst,
    input  logic [11:0] a_tdata,
    input  logic a_tvalid,
    output logic a_tready,
    input  logic [11:0] b_tdata,
    input  logic b_tvalid,
    output logic b_tready,
    output logic [12:0] sum_tdata,
    output logic sum_tvalid,
    input  logic sum_tready,
    output logic [12:0] copy_tdata,
    output logic copy_tvalid,
    input  logic copy_tready
);
    logic take;
    assign take = a_tvalid && b_tvalid && (!sum_tvalid || sum_tready) && (!copy_tvalid || copy_tready);
    assign a_tready = take;
    assign b_tready = take;

    always_ff @(posedge clk) begin
        if (rst) begin
            sum_tvalid <= 1'b0;
            copy_tvalid <= 1'b0;
        end else begin
            if (sum_tready) sum_tvalid <= 1'b0;
            if (copy_tready) copy_tvalid <= 1'b0;
            if (take) begin
                sum_tvalid <= 1'b1;
                copy_tvalid <= 1'b1;
                sum_tdata <= 13'(a_tdata) + 13'(b_tdata);
                copy_tdata <= 13'(a_tdata) + 13'(b_tdata);
            end
        end
    end
endmodule
