"""The Python API on a small accelerator: typed results that show themselves, and the same answers as the commands."""

import json
import shutil

import pytest

import dsode
from finn_flow.build_folder import BuildFolder
from finn_flow.cli import main
from finn_flow.errors import UserError
from finn_flow.estimates.network import estimate
from finn_flow.files import atomic_write_json
from finn_flow.finn_adapter.environment import ensure_finn
from tests.finn_flow.netlist.one_block import CLOCK_NS, FRAMES, PART, one_block
from tests.finn_flow.transformations.qonnx_graphs import ode_net
from tests.places import BUILD_CONFIGS


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    block = one_block()
    folder = block.copy(tmp_path_factory.mktemp("api") / "build")
    atomic_write_json(BuildFolder(folder).estimates, estimate(block.sized, CLOCK_NS, "ZCU104", PART))
    return dsode.Build.open(folder)


@pytest.fixture(scope="module")
def finn_folder(tmp_path_factory):
    """Return a folder by FINN's convention that ends with the estimates."""
    ensure_finn()
    folder = tmp_path_factory.mktemp("finn")
    ode_net((2,), channels=4, size=4, state_output=False).save(str(folder / "model.onnx"))
    settings = json.loads((BUILD_CONFIGS / "zcu104_estimates.json").read_text())
    (folder / "dataflow_build_config.json").write_text(json.dumps({**settings, "output_dir": "made"}))
    return folder


def test_simulate_report_package(built):
    simulation = dsode.simulate(built, frames=4)
    assert simulation.exact
    assert simulation.check.frames == 4
    assert "| mismatches | 0 |" in simulation._repr_markdown_()
    report = dsode.report(built)
    assert report.page == BuildFolder(built.folder).page
    assert report._repr_html_().startswith("<iframe srcdoc=")
    package = dsode.package(built, samples=3)
    assert package.archive.is_file()
    assert package.to_json()["samples"] == 3
    assert f"{FRAMES}" not in package.lines()[0].split(",")[1]


def test_a_build_shows_itself(built):
    html = built._repr_html_()
    assert "Estimated cycles" in html
    assert "ODE loops" in html
    assert built.cycles_per_frame == built.estimates["network"]["cycles_per_frame"]
    assert built.frames_per_second == pytest.approx(1e9 / (CLOCK_NS * built.cycles_per_frame))


def test_the_command_prints_what_the_verb_returns(built, capsys):
    assert main(["simulate", str(built.folder), "--frames", "4", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    returned = dsode.simulate(built, frames=4).to_json()
    timed = ("seconds", "per_second")
    for key in [key for key in returned if key.endswith(timed) and key != "frames_per_second"]:
        del printed[key], returned[key]
    assert printed == returned


def test_a_folder_of_finns_is_built_as_it_is(finn_folder, capsys):
    build = dsode.build(finn_folder)
    assert build.folder == finn_folder / "made"
    assert build.left_out == ("bitfile",)
    assert not build.has_netlist
    assert "It ends with the estimates" in build.lines()[-1]
    assert "dsode package" not in str(build)
    assert main(["build", str(finn_folder), "--json", "--quiet"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["network"] == build.estimates["network"]
    assert printed.err == ""


def test_golden_files_of_this_very_model_come_along(finn_folder, tmp_path):
    folder = tmp_path / "finn"
    shutil.copytree(finn_folder, folder, ignore=shutil.ignore_patterns("made"))
    model = dsode.export(None, tmp_path / "net.onnx", untrained="dsodenet-tiny", samples=2)
    for name in ("golden.npz", "golden.json"):
        shutil.copyfile(tmp_path / name, folder / name)
    place = BuildFolder(dsode.build(folder).folder)
    assert not place.golden.exists()  # they belong to another model
    shutil.copyfile(model.path, folder / "model.onnx")
    dsode.build(folder)
    assert place.golden.read_bytes() == (folder / "golden.npz").read_bytes()
    assert place.golden_notes.is_file()


def test_bad_input_is_one_line(finn_folder, built, tmp_path):
    with pytest.raises(UserError, match=r"a folder with a model\.onnx of its own; leave --model out"):
        dsode.build(finn_folder, "other.onnx", tmp_path)
    (tmp_path / "dataflow_build_config.json").write_text("{}")
    with pytest.raises(UserError, match=r"must hold dataflow_build_config.json and model.onnx; model.onnx is missing"):
        dsode.build(tmp_path)
    with pytest.raises(UserError, match="name the model with --model and the folder"):
        dsode.build("zcu104")
    with pytest.raises(UserError, match="neither a file nor one of zcu104"):
        dsode.build("zcu105", "m.onnx", tmp_path)
    with pytest.raises(UserError, match="must be at least 0 and below 1, not 1"):
        dsode.simulate(built, stall=1.0)
    with pytest.raises(UserError, match=r"--trace must end in \.vcd"):
        dsode.simulate(built, trace=tmp_path / "wave.fst")
    with pytest.raises(UserError, match="holds no build"):
        dsode.Build.open(tmp_path)


def test_a_waveform_has_a_scope_for_every_node_and_loop(built, tmp_path):
    trace = tmp_path / "waves" / "out.vcd"
    assert dsode.simulate(built, frames=1, trace=trace).exact
    scopes = {line.split()[2] for line in trace.open() if line.lstrip().startswith("$scope")}
    nodes = {node["name"] for node in built.estimates["nodes"]}
    assert nodes <= scopes
