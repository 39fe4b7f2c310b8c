"""Delays of small circuits, added up by hand."""

import json
import math

import pytest

from finn_flow.errors import FlowError
from finn_flow.timing.paths import ModuleTiming, module_timing
from tests.finn_flow.timing.circuits import cell, module

NET = 0.22


def wide(loads):
    return NET + 0.085 * math.log2(loads)


@pytest.fixture(scope="module")
def timing():
    """Registers with a LUT between them that an input goes through, too; another input passes to an output."""
    cells = {
        "first": cell("FDRE", D=10, Q=2, CE="1", R="0", C=1),
        "and": cell("LUT2", I0=2, I1=3, O=4),
        "second": cell("FDRE", D=4, Q=5, CE="1", R="0", C=1),
        "third": cell("FDRE", D=4, Q=6, CE=7, R="0", C=1),
        "not": cell("LUT1", I0=7, O=8),
    }
    names = {"a_q": 2, "b_q": 5, "c_q": 6, "sum": 4}
    ports = {"in0_V_TVALID": ("input", 3), "in0_V_TREADY": ("output", 8), "out0_V_TREADY": ("input", 7)}
    return module_timing(module(cells, names, **ports, out0_V_TVALID=("output", 5), ap_clk=("input", 1)))


def test_path_between_registers(timing):
    """Clock to output, net, LUT, net of two loads, set-up."""
    path = timing.paths[0]
    assert (path.start, path.end, path.lut_levels) == ("a_q (FDRE)", "b_q (FDRE D)", 1)
    assert path.delay_ns == pytest.approx(0.10 + NET + 0.15 + wide(2) + 0.03, abs=1e-3)
    assert path.steps == ("LUT2 sum (fan-out 2)",)


def test_paths_at_ports(timing):
    assert set(timing.entering) == {"in0_V_TVALID", "out0_V_TREADY"}
    assert timing.entering["in0_V_TVALID"].delay_ns == pytest.approx(NET + 0.15 + wide(2) + 0.03, abs=1e-3)
    enable = timing.entering["out0_V_TREADY"]
    assert (enable.delay_ns, enable.loads, enable.end) == (pytest.approx(wide(2) + 0.06, abs=1e-3), 2, "c_q (FDRE CE)")
    assert timing.leaving["out0_V_TVALID"].delay_ns == pytest.approx(0.10)
    assert set(timing.crossing) == {"out0_V_TREADY"}
    (crossing,) = timing.crossing["out0_V_TREADY"].values()
    assert (crossing.end, crossing.delay_ns) == ("in0_V_TREADY", pytest.approx(wide(2) + 0.15, abs=1e-3))


def test_many_loads_are_listed():
    cells = {"source": cell("FDRE", D=3, Q=2, C=1)}
    cells |= {f"load{i}": cell("FDRE", D=2, Q=10 + i, C=1) for i in range(1001)}
    timing = module_timing(module(cells, {"busy_q": 2}))
    assert timing.fan_outs == {"busy_q": 1001}


def test_a_carry_chain_is_reached_inside_the_slice():
    cells = {
        "start": cell("FDRE", D=9, Q=2, C=1),
        "lut": cell("LUT2", I0=2, I1="1", O=3),
        "carry": cell("CARRY4", S=3, DI="0", CI="0", O=4),
        "end": cell("FDRE", D=4, Q=5, C=1),
    }
    path = module_timing(module(cells, {"x_q": 2, "y_q": 5})).paths[0]
    assert path.delay_ns == pytest.approx(0.10 + NET + 0.15 + 0.02 + 0.15 + NET + 0.03, abs=1e-3)


def test_combinational_loop_is_refused():
    cells = {"a": cell("LUT1", I0=2, O=3), "b": cell("LUT1", I0=3, O=2)}
    with pytest.raises(FlowError, match=r"combinational loop through (round|trip)"):
        module_timing(module(cells, {"round": 3, "trip": 2}))


def test_json_gives_the_same_timing_back(timing):
    assert ModuleTiming.from_json(json.loads(json.dumps(timing.to_json()))) == timing
