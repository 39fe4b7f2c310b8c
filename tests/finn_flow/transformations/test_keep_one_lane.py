"""A netlist of one lane per node takes the same time as the one with all lanes."""

from pathlib import Path

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from brevitas_models.config import NetworkConfig
from brevitas_models.untrained import untrained_network
from finn_flow.export.qonnx import to_qonnx
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.folding.target import fold_for_cycles
from finn_flow.netlist import write_netlist
from finn_flow.netlist.netlist import Netlist
from finn_flow.simulation.accelerator import SimulatedAccelerator
from finn_flow.steps.frontend import step_lower_to_integers, step_roll_ode_blocks, step_select_labels
from finn_flow.steps.hardware import step_convert_to_hardware
from finn_flow.transformations.bodies import loop_body, loops
from finn_flow.transformations.insert_fifos import InsertFIFOs
from finn_flow.transformations.insert_width_converters import InsertWidthConverters
from finn_flow.transformations.keep_one_lane import LANES
from finn_flow.transformations.name_nodes import NameNodes
from finn_flow.verilator import Stall
from tests.finn_flow.netlist.one_block import CLOCK_NS, PART

EULER = NetworkConfig(in_channels=3, image_size=[8, 12], channels=[8, 12], iterations=[2, 3])
RK4 = NetworkConfig(in_channels=1, image_size=[4, 6], channels=[4], iterations=[2], solver="rk4")
FRAMES = 5


def hardware(config: NetworkConfig, cycles: int) -> ModelWrapper:
    model = to_qonnx(untrained_network(config, seed=0))
    for step in (step_roll_ode_blocks, step_lower_to_integers, step_select_labels, step_convert_to_hardware):
        model = step(model, None)
    fold_for_cycles(model, cycles, "ZCU104")
    return model.transform(InsertWidthConverters()).transform(InsertFIFOs()).transform(NameNodes())


@pytest.fixture(scope="module")
def models() -> list[ModelWrapper]:
    ensure_finn()
    return [hardware(EULER, 600), hardware(RK4, 400)]


def end_cycles(netlist: Netlist, stall: Stall) -> list[int]:
    (stream,) = netlist.inputs.values()
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, *stream.shape[1:]))
    with SimulatedAccelerator(netlist) as accelerator:
        return accelerator.run(frames, stall=stall).frame_end_cycles.tolist()


def test_same_time_with_and_without_stalls(models, tmp_path: Path) -> None:
    graphs = [graph for model in models for graph in (model, *map(loop_body, loops(model)))]
    nodes = [node for graph in graphs for node in graph.graph.node]
    many_lanes = {node.op_type for node in nodes if node.op_type in LANES and getCustomOp(node).get_nodeattr("PE") > 1}
    assert many_lanes >= set(LANES) - {
        "GlobalSumPool_rtl",
        "ChannelAffine_rtl",
        "Lookup_rtl",
        "PositionThresholding_rtl",
        "WindowReduce_rtl",
    }
    for number, model in enumerate(models):
        whole = write_netlist(model, tmp_path / f"whole_{number}", PART, CLOCK_NS)
        timing = write_netlist(model, tmp_path / f"timing_{number}", PART, CLOCK_NS, carries_data=False)
        for stall in (Stall.none(), Stall.random(0.3, 0.3, seed=1), Stall.random(0.0, 0.6, seed=2, burst_cycles=30)):
            assert end_cycles(timing, stall) == end_cycles(whole, stall)
