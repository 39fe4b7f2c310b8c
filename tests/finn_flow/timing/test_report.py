"""Timing of netlists of real nodes, across their border, and the command."""

import json
import math

import pytest

from finn_flow.cli.group import main
from finn_flow.errors import UserError
from finn_flow.netlist import Netlist
from finn_flow.netlist.structure import Instance, Module, Node, Stream
from finn_flow.synthesis import StagedJob
from finn_flow.synthesis.nodes import Unit
from finn_flow.timing.accelerator import AcceleratorTiming
from finn_flow.timing.paths import ModuleTiming, Path
from finn_flow.timing.report import time_build
from finn_flow.verilator.sources import StagedSources
from tests.finn_flow.synthesis.test_report import FIFO, netlist_of


@pytest.fixture(scope="module")
def build_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    netlist_of(FIFO, folder)
    return folder


def test_report_of_a_build(build_folder):
    report = time_build(build_folder)
    assert 1.0 < report.worst_ns < 4.0
    worst = report.paths[0]
    assert worst.end_node == "StreamingFIFO_rtl_0"
    assert worst.path.start.startswith("StreamingFIFO_rtl_0.fifo.")
    assert report.slowest == {"StreamingFIFO_rtl_0": report.worst_ns}
    assert not report.fan_outs
    stored = json.loads((build_folder / "report" / "timing.json").read_text())
    assert stored["paths"][0]["path"]["delay_ns"] == stored["worst_ns"] == report.worst_ns


def test_command(build_folder, capsys):
    assert main(["timing", str(build_folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["target_ns"] == 4.0
    assert main(["timing", str(build_folder), "--steps"]) == 0
    printed = capsys.readouterr().out
    assert "the target of 4.0 ns holds (estimate)" in printed
    assert "On the slowest path:" in printed


def test_no_netlist_is_the_users_mistake(tmp_path, capsys):
    with pytest.raises(UserError, match="holds no netlist"):
        time_build(tmp_path)
    assert main(["timing", str(tmp_path)]) == 2


def stream(name, producer, consumer):
    return Stream(name, name, (1, 4), "UINT8", 8, 1, producer, consumer)


def two_nodes():
    """A netlist of two nodes in a row."""
    streams = {s.name: s for s in (stream("a", "", "one"), stream("b", "one", "two"), stream("c", "two", ""))}
    instances = (
        Instance("one", "m", connections={"in0_V": "a", "out0_V": "b"}),
        Instance("two", "m", connections={"in0_V": "b", "out0_V": "c"}),
    )
    top = Module("top", "top", "", "", ("a",), ("c",), streams, instances)
    nodes = {name: Node(name, "Op", "m", "", 1) for name in ("one", "two")}
    netlist = Netlist(
        folder=None,
        top="top",
        sources=(),
        data_files=(),
        modules={"top": top},
        loops={},
        nodes=nodes,
        given=None,
        results=(),
        fpgapart="",
        clk_ns=5.0,
        versions={},
    )
    job = StagedJob("m", StagedSources({}, {}), {})
    units = [
        Unit(i.name, "Op", "", job, {port: ("top", name) for port, name in i.connections.items()}) for i in instances
    ]
    return netlist, units


def test_paths_go_on_across_borders_both_ways():
    """Data from a register of the first node to one of the second; TREADY through the second to one of the first."""
    netlist, units = two_nodes()
    node = "node_instance"
    one = ModuleTiming(
        paths=(),
        entering={
            "out0_V_TREADY": Path(1.5, "out0_V_TREADY", f"{node}.r_q (FDRE CE)", ("LUT2 x (fan-out 1)",), loads=4)
        },
        leaving={"out0_V_TDATA": Path(0.4, f"{node}.d_q (FDRE)", "out0_V_TDATA", (), loads=1)},
        crossing={},
        fan_outs={},
    )
    two = ModuleTiming(
        paths=(),
        entering={"in0_V_TDATA": Path(2.0, "in0_V_TDATA", f"{node}.e_q (FDRE D)", (), loads=1)},
        leaving={},
        crossing={"out0_V_TREADY": {"in0_V_TREADY": Path(0.7, "out0_V_TREADY", "in0_V_TREADY", (), loads=2)}},
        fan_outs={},
    )
    found = AcceleratorTiming(netlist, units, {"one": one, "two": two}).paths()
    forward, backward = found
    # One load inside the first node joins the one in the second: a doubling.
    assert forward.path.delay_ns == pytest.approx(0.4 + 2.0 + 0.085)
    assert (forward.start_node, forward.end_node) == ("one", "two")
    assert (forward.path.start, forward.path.end) == ("one.d_q (FDRE)", "two.e_q (FDRE D)")
    # From a register outside through `two` and back into `one`, where two loads in `two` join four.
    assert backward.path.delay_ns == pytest.approx(0.10 + 0.7 + 1.5 + 0.085 * math.log2(6 / 4), abs=1e-3)
    assert (backward.start_node, backward.end_node) == ("outside", "one")
