"""Nodes of a netlist as jobs, the report, and the command."""

import json

import pytest
from qonnx.transformation.general import GiveUniqueNodeNames

from finn_flow.build_folder import BuildFolder
from finn_flow.cli.group import main
from finn_flow.errors import UserError
from finn_flow.netlist import Netlist, write_netlist
from finn_flow.synthesis.nodes import units, whole
from finn_flow.synthesis.report import synthesise_build
from tests.finn_flow.finn_adapter.finn_nodes import CLOCK_NS, PART, Node

FIFO = Node(
    "StreamingFIFO_rtl",
    (1, 4, 4, 16),
    "UINT1",
    (1, 4, 4, 16),
    "UINT1",
    {"depth": 32, "folded_shape": [1, 4, 4, 1, 16], "normal_shape": [1, 4, 4, 16], "dataType": "UINT1"},
)


def netlist_of(node, folder, prefix=""):
    model = node.model()
    if prefix:
        model = model.transform(GiveUniqueNodeNames(prefix))
    return write_netlist(model, folder / "rtl", PART, CLOCK_NS)


@pytest.fixture(scope="module")
def build_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    netlist_of(FIFO, folder)
    return folder


def test_nodes_that_differ_in_their_names_only_are_one_job(build_folder, tmp_path):
    netlist_of(FIFO, tmp_path, prefix="other_")
    (first,), (second,) = (units(Netlist.load(folder / "rtl")) for folder in (build_folder, tmp_path))
    assert (first.name, second.name) == ("StreamingFIFO_rtl_0", "other_StreamingFIFO_rtl_0")
    assert first.job.content() == second.job.content()


def test_jobs_have_the_files_that_they_need_only(build_folder):
    netlist = Netlist.load(build_folder / "rtl")
    (unit,) = units(netlist)
    assert {"alone.v", "lib/finn-rtllib/fifo/hdl/fifo.sv", "nodes/node.v"} <= unit.job.sources.modules.keys()
    assert "accelerator.v" not in unit.job.sources.modules
    assert "accelerator.v" in whole(netlist).sources.modules


def test_report_of_a_build(build_folder):
    lines = []
    report = synthesise_build(build_folder, progress=lines.append)
    assert report.nodes[0].resources.srl == report.sum.srl == 16
    assert report.nodes[0].resources.lut_total < 50
    shares = report.board_shares()
    assert shares["LUT"]["used"] == report.sum.lut_total
    assert shares["DSP"] == {"used": 0, "available": 1728, "percent": 0.0}
    (row,) = report.estimate_errors()
    assert abs(row["lut_error_percent"]) <= 25
    assert row["BRAM36"] == {"synthesis": 0.0, "estimate": 0.0}
    stored = json.loads(BuildFolder(build_folder).synthesis.read_text())
    assert stored == json.loads(json.dumps(report.to_json()))
    assert "not calibrated against Vivado" in stored["what"]
    assert lines[0] == "synthesis of 1 nodes, those known from earlier runs excepted"


def test_command_prints_json_and_tables(build_folder, capsys):
    assert main(["synth", str(build_folder), "--node", "StreamingFIFO_rtl_0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sum"]["srl"] == 16
    assert main(["synth", str(build_folder)]) == 0
    printed = capsys.readouterr().out
    assert "StreamingFIFO_rtl_0" in printed
    assert "not calibrated against Vivado" in printed


def test_mistakes_of_the_user(build_folder, tmp_path, capsys):
    with pytest.raises(UserError, match="no node 'nothing'; its nodes are StreamingFIFO_rtl_0"):
        units(Netlist.load(build_folder / "rtl"), "nothing")
    assert main(["synth", str(tmp_path)]) == 2
    assert "holds no netlist" in capsys.readouterr().err
