"""Memory styles: which are legal, and which is taken."""

import pytest
from onnx import helper
from qonnx.custom_op.registry import getCustomOp

from custom_ops.hardware import DOMAIN
from finn_flow.estimates.boards import board_resources
from finn_flow.estimates.memories import node_resources, threshold_depths
from finn_flow.folding.memory import ChooseMemories, memory_styles
from finn_flow.folding.resources import cost
from finn_flow.folding.target import fold_for_cycles
from finn_flow.transformations.bodies import loops
from finn_flow.transformations.insert_fifos import FIFO, InsertFIFOs
from finn_flow.transformations.name_nodes import NameNodes
from tests.finn_flow.folding.small_networks import PART, all_nodes, small_hardware
from tests.finn_flow.transformations.compiled import finish, graphs


def fifo(depth: int, elements: int, bits: int):
    return helper.make_node(
        FIFO,
        ["x"],
        ["y"],
        name="fifo",
        domain=DOMAIN,
        backend="fpgadataflow",
        depth=depth,
        folded_shape=[1, 8, elements],
        normal_shape=[1, 8 * elements],
        dataType=f"INT{bits}",
        ram_style="auto",
    )


def test_no_constant_goes_to_ultra_ram():
    for node, _ in all_nodes(small_hardware()):
        if node.op_type in ("MVAU_rtl", "DepthwiseConv_rtl"):
            assert {style["ram_style"] for style in memory_styles(node)} == {"distributed", "block"}
        assert all("depth_trigger_uram" not in style for style in memory_styles(node))


def test_thresholds_move_to_block_ram_stage_by_stage():
    node = next(node for node, _ in all_nodes(small_hardware()) if node.op_type == "Thresholding_rtl")
    depths = threshold_depths(node)
    triggers = [style["depth_trigger_bram"] for style in memory_styles(node)]
    assert triggers == [depths[-1] + 1, *reversed(depths)]
    instance, blocks = getCustomOp(node), []
    for trigger in triggers:
        instance.set_nodeattr("depth_trigger_bram", trigger)
        blocks.append(node_resources(node, PART)["BRAM36"])
    assert blocks == [0.5 * count for count in range(len(depths) + 1)]


@pytest.mark.parametrize(
    ("depth", "elements", "bits", "expected"),
    [(8, 4, 8, "auto"), (64, 2, 8, "distributed"), (1024, 2, 8, "block"), (8192, 9, 8, "ultra")],
)
def test_fifos_of_all_sizes(depth, elements, bits, expected):
    node = fifo(depth, elements, bits)
    available = board_resources("ZCU104")
    costs = {}
    for style in memory_styles(node):
        getCustomOp(node).set_nodeattr("ram_style", style["ram_style"])
        costs[style["ram_style"]] = cost(node_resources(node, PART), available)
    assert min(costs, key=costs.get) == expected


def test_chosen_for_fifos_and_loops_and_nothing_else():
    model = finish(small_hardware()).transform(InsertFIFOs(frames=40)).transform(NameNodes())
    before = {node.name: node.SerializeToString() for node, _ in all_nodes(model) if "FIFO" not in node.op_type}
    for node in loops(model):
        getCustomOp(node).set_nodeattr("frames_in_flight", 500)
    model = model.transform(ChooseMemories("ZCU104", PART))
    (loop,) = loops(model)
    assert getCustomOp(loop).get_nodeattr("feedback_ram_style") == "block"
    assert getCustomOp(loop).get_nodeattr("input_ram_style") == "distributed"
    styles = {getCustomOp(node).get_nodeattr("ram_style") for node, _ in all_nodes(model) if node.op_type == FIFO}
    assert "block" in styles
    after = {node.name: node.SerializeToString() for node, _ in all_nodes(model)}
    assert all(after[name] == node for name, node in before.items() if name != loop.name)


def test_equal_thresholds_of_all_channels_stay_in_luts():
    """Synthesis merges them with the logic behind them, so that block RAM would only be wasted."""
    model = small_hardware()
    fold_for_cycles(model, 1000)
    for graph in graphs(model):
        for node in graph.graph.node:
            if node.op_type != "Thresholding_rtl":
                continue
            thresholds = graph.get_initializer(node.input[1])
            if (thresholds == thresholds[:1]).all():
                assert getCustomOp(node).get_nodeattr("depth_trigger_bram") > max(threshold_depths(node))
