"""An accelerator that holds a frame for long, as those with many iterations and little hardware do."""

from dataclasses import replace

import numpy as np
import pytest

from finn_flow.netlist.structure import Node

COMPUTING_CYCLES = 150_000

SOURCE = """
module accelerator (
    input wire ap_clk, ap_rst_n,
    input wire [7:0] in0_V_TDATA, input wire in0_V_TVALID, output wire in0_V_TREADY,
    output wire [7:0] out0_V_TDATA, output wire out0_V_TVALID, input wire out0_V_TREADY
);
    reg [7:0] taken_q, last_q;
    reg [31:0] cycle_q;
    assign in0_V_TREADY = taken_q != 8'd48;
    assign out0_V_TVALID = cycle_q == 32'd@CYCLES@;
    assign out0_V_TDATA = last_q % 8'd10;
    always @(posedge ap_clk) begin
        if (in0_V_TVALID && in0_V_TREADY) begin
            taken_q <= taken_q + 8'd1;
            last_q <= in0_V_TDATA;
        end
        if (!in0_V_TREADY && !out0_V_TVALID) cycle_q <= cycle_q + 32'd1;
        if (!ap_rst_n || (out0_V_TVALID && out0_V_TREADY)) begin
            taken_q <= 8'd0;
            cycle_q <= 32'd0;
        end
    end
endmodule
"""


@pytest.fixture
def slow(tiny, tmp_path):
    """Return a netlist with the streams of the small one: the last code modulo 10, after a long time."""
    folder = tmp_path / "rtl"
    folder.mkdir()
    (folder / "slow.v").write_text(SOURCE.replace("@CYCLES@", str(COMPUTING_CYCLES)))
    node = Node("slow", "Slow", "accelerator", "", COMPUTING_CYCLES)
    return replace(tiny.netlist, folder=folder, sources=("slow.v",), data_files=(), loops={}, nodes={"slow": node})


@pytest.mark.parametrize("count", [1, 3])
def test_a_lone_image_is_waited_for(boards, accelerators, slow, count):
    images = np.random.default_rng(count).integers(0, 256, (count, 8, 6), dtype=np.uint8)
    accelerator = accelerators(boards(netlist=slow), timeout_s=60.0)
    assert accelerator.classify(images)[:, 0].tolist() == (images[:, -1, -1] % 10).tolist()
