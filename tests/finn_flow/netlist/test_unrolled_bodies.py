"""Netlists of loops with several bodies, in Verilator: the same integers."""

from pathlib import Path

import numpy as np
import pytest
from qonnx.custom_op.registry import getCustomOp

from finn_flow.execution import execute_hardware
from finn_flow.fifo_sizing.search import size_fifos
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.folding.config import apply_folding_config
from finn_flow.folding.target import fold_for_cycles
from finn_flow.netlist import write_netlist
from finn_flow.simulation.accelerator import LOGITS, SimulatedAccelerator
from finn_flow.transformations.bodies import loops
from tests.finn_flow.netlist.one_block import CLOCK_NS, PART
from tests.finn_flow.transformations.compiled import finish, hardware, integers
from tests.finn_flow.transformations.qonnx_graphs import ode_net

FRAMES = 40


@pytest.mark.parametrize("numbers", [(3, 2), (2, 4)])
def test_two_loops_of_several_bodies(tmp_path: Path, numbers: tuple[int, int]) -> None:
    """Constants differ between the 6 and 4 iterations; of the second network one loop has a body per iteration."""
    ensure_finn()
    lowered = integers(ode_net((6, 4), channels=2, state_output=False))
    model = hardware(lowered)
    config = {f"ODELoop_rtl_{number}": {"bodies": bodies} for number, bodies in enumerate(numbers)}
    fold_for_cycles(model, 48, pins=apply_folding_config(model, config))
    sized, *_ = size_fifos(finish(model), PART, CLOCK_NS)
    (loop, *_) = loops(sized)
    # A pass is short and the way through the bodies long, so that many frames are needed to keep them busy.
    assert getCustomOp(loop).get_nodeattr("frames_in_flight") > numbers[0]
    netlist = write_netlist(sized, tmp_path / "rtl", PART, CLOCK_NS)
    (stream,) = netlist.inputs.values()
    codes = np.random.default_rng(0).integers(0, 256, (FRAMES, *stream.shape[1:]))
    expected = execute_hardware(hardware(lowered), codes)[LOGITS]
    assert len(np.unique(expected, axis=0)) > FRAMES // 2
    with SimulatedAccelerator(netlist) as accelerator:
        run = accelerator.run(codes)
    np.testing.assert_array_equal(run.results[LOGITS].reshape(expected.shape), expected)
