"""Matrix-vector units with constant weights: their netlist computes what FINN's Python execution does."""

import pytest
from qonnx.custom_op.registry import getCustomOp

from custom_ops.mvau.op import ConstantMVAU, generating_op
from finn_flow.netlist import write_netlist
from finn_flow.simulation.accelerator import SimulatedAccelerator
from finn_flow.verilator import Stall
from tests.finn_flow.finn_adapter.finn_nodes import CLOCK_NS, PART, mvau, run_python

NODES = {
    "folded": mvau("UINT4", "INT4", 12, 8, simd=3, pe=4),
    "least parallel": mvau("INT5", "INT3", 6, 4, simd=1, pe=1),
    "one word": mvau("UINT8", "INT4", 6, 6, simd=6, pe=6),
    "words of odd width": mvau("INT8", "INT5", 9, 4, simd=3, pe=1),
    "twice the clock": mvau("INT4", "INT4", 8, 8, simd=4, pe=2, pumped=True),
}


@pytest.mark.parametrize("ram_style", ["auto", "distributed", "block"])
@pytest.mark.parametrize("name", NODES)
def test_netlist_equals_python(name, ram_style, tmp_path):
    node = NODES[name]
    model = node.model()
    getCustomOp(model.graph.node[0]).set_nodeattr("ram_style", ram_style)
    netlist = write_netlist(model, tmp_path, PART, CLOCK_NS)
    inputs = node.random_input(seed=1)
    with SimulatedAccelerator(netlist) as accelerator:
        for stall in (Stall.none(), Stall.random(0.3, 0.3, seed=1)):
            run = accelerator.run(inputs["inp"].astype(int), stall=stall)
            assert (run.outputs["out0_V"] == run_python(node, inputs)).all()
    # One word is a constant of the module, without a file.
    assert bool(netlist.data_files) == (name != "one word")


@pytest.mark.parametrize(
    "attribute",
    [{"runtime_writeable_weights": 1}, {"mem_mode": "external"}, {"ram_style": "ultra"}, {"pumpedMemory": 1}],
)
def test_other_weights_stay_finns(attribute):
    node = NODES["folded"].model().graph.node[0]
    assert isinstance(generating_op(node), ConstantMVAU)
    for name, value in attribute.items():
        getCustomOp(node).set_nodeattr(name, value)
    assert type(generating_op(node)) is type(getCustomOp(node))
