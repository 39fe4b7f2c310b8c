"""`dsode build`: FINN's builder with our configs and no Vivado, and its answers to bad input."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, save_model

from finn_flow.build import build, load_build_config
from finn_flow.cli.group import main
from finn_flow.errors import UserError
from finn_flow.execution import execute_batch, execute_hardware
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.finn_adapter.vendor_steps import VENDOR_STEPS
from finn_flow.transformations.interface import read_outputs
from tests.finn_flow.transformations.qonnx_graphs import GraphBuilder, ode_net
from tests.places import BUILD_CONFIGS

ESTIMATES = BUILD_CONFIGS / "zcu104_estimates.json"


@pytest.fixture(scope="module")
def model_path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    ode_net((3, 2), state_output=False).save(str(path))
    return path


@pytest.fixture(scope="module")
def built(model_path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    lines: list[str] = []
    result = build(ESTIMATES, model_path, folder, lines.append)
    assert result.left_out == ([] if shutil.which("vivado") else ["bitfile"])
    steps = [line for line in lines if line.startswith("step")]
    assert steps[0] == f"step 1/{len(steps)} step_roll_ode_blocks"
    forms = ("integers", "hardware graph")
    assert [line for line in lines if line not in steps] == [
        f"proved on 12 frames: {form} = the model as given" for form in forms
    ]
    return folder


@pytest.mark.parametrize("path", sorted(BUILD_CONFIGS.glob("*.json")), ids=lambda path: path.stem)
def test_configs_are_finns_own(path):
    ensure_finn()
    from finn.builder.build_dataflow_config import DataflowBuildConfig

    config = DataflowBuildConfig.construct_from(path)
    assert config.board == "ZCU104"
    assert config.synth_clk_period_ns == 5.0
    assert load_build_config(path).steps == config.steps


def test_reports_hold_every_node_and_loop(built):
    report = json.loads((built / "report" / "estimates.json").read_text())
    loops = [node["name"] for node in report["nodes"] if node["op"] == "ODELoop_rtl"]
    assert [loop["name"] for loop in report["loops"]] == loops
    assert [loop["iterations"] for loop in report["loops"]] == [3, 2]
    for loop in report["loops"]:
        body = [node for node in report["nodes"] if node["loop"] == loop["name"]]
        assert loop["body_ii_cycles"] == max(node["cycles_per_pass"] for node in body)
        assert loop["cycles_per_frame"] == loop["iterations"] * loop["body_ii_cycles"]
        assert loop["feedback_fifo_bits"] == 4 * 4 * 2 * 8 if loop["name"] == loops[0] else 2 * 2 * 2 * 8
    network = report["network"]
    assert network["cycles_per_frame"] == max(node["cycles_per_frame"] for node in report["nodes"])
    assert network["frames_per_second"] == pytest.approx(200e6 / network["cycles_per_frame"])
    assert set(report["resources"]) == {"LUT", "DSP", "BRAM36", "URAM"}


def test_configuration_is_kept(built):
    kept = json.loads((built / "report" / "build_config.json").read_text())
    given = json.loads(ESTIMATES.read_text())
    assert kept == given


def test_finns_own_estimate_reports_are_there(built):
    cycles = json.loads((built / "report" / "estimate_layer_cycles.json").read_text())
    assert any(name.startswith("ODELoop_rtl") for name in cycles)


def test_every_intermediate_model_gives_the_same_logits(built, model_path):
    from qonnx.core.modelwrapper import ModelWrapper

    steps = built / "intermediate_models"
    codes = np.random.default_rng(0).integers(0, 256, (4, 3, 4, 4))
    expected = execute_batch(ModelWrapper(str(model_path)), codes / np.float32(128))
    integers = ModelWrapper(str(steps / "step_lower_to_integers.onnx"))
    scale = read_outputs(integers)[0].scale[0]
    np.testing.assert_array_equal(execute_batch(integers, codes) * np.float32(scale), expected)
    found = execute_hardware(ModelWrapper(str(steps / "step_fold_for_estimates.onnx")), codes.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(found["logits"] * np.float32(scale), expected)


def test_a_folding_config_overrides_the_choice_in_bodies_too(built, model_path, tmp_path):
    folding = json.loads((built / "report" / "folding_config.json").read_text())
    name = next(key for key in folding if key.startswith("ODELoop_rtl_0_DepthwiseConv"))
    folding[name]["PE"] = 2
    (tmp_path / "folding.json").write_text(json.dumps(folding))
    config = json.loads(ESTIMATES.read_text()) | {"folding_config_file": "folding.json"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    build(tmp_path / "config.json", model_path, tmp_path / "out", lambda line: None)
    written = json.loads((tmp_path / "out" / "report" / "folding_config.json").read_text())
    assert written[name]["PE"] == 2


def test_steps_are_registered_by_name(model_path, tmp_path):
    config = json.loads(ESTIMATES.read_text())
    config["steps"] = [step.rsplit(".", 1)[-1] for step in config["steps"]]
    (tmp_path / "config.json").write_text(json.dumps(config))
    build(tmp_path / "config.json", model_path, tmp_path / "out", lambda line: None)
    assert (tmp_path / "out" / "report" / "estimates.json").is_file()


def test_outputs_that_need_vivado_are_named(model_path, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    config = json.loads(ESTIMATES.read_text())
    config["steps"] += ["step_hw_ipgen", "step_create_stitched_ip", "step_synthesize_bitfile"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    result = build(tmp_path / "config.json", model_path, tmp_path / "out", lambda line: None)
    assert result.left_out == sorted({VENDOR_STEPS[name] for name in config["steps"][-3:]})


def _changed(tmp_path: Path, **changes) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(ESTIMATES.read_text()) | changes))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_fp": 3}, "unknown key `target_fp`"),
        ({"target_fps": "many"}, "`target_fps` must not be 'many'"),
        ({"steps": ["finn_flow.steps.frontend.step_fly"]}, "step_fly"),
        ({"steps": ["step_fly"]}, "step_fly"),
        ({"steps": None}, "missing key `steps`"),
        ({"target_fps": None}, "target_fps or folding_config_file"),
        ({"folding_config_file": "nowhere.json"}, "nowhere.json"),
    ],
)
def test_bad_configs(changes, message, model_path, tmp_path, capsys):
    path = _changed(tmp_path, **changes)
    status = main(["build", str(path), "--model", str(model_path), "--out", str(tmp_path / "out")])
    error = capsys.readouterr().err
    assert status == 2
    assert message in error
    assert "Traceback" not in error


def _no_block(path: Path) -> None:
    net = GraphBuilder()
    x = net.quant("x", bits=8, scale=2.0**-7, signed=0)
    net.finish((1, 2, 4, 4), net.quant(net.conv(x, net.weight(2, 2, 3, 3), 3), bits=8, scale=0.5)).save(str(path))


def _empty(path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    save_model(helper.make_model(helper.make_graph([], "empty", [value], [value])), str(path))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_text("not a model"), "not an ONNX file"),
        (_empty, "an empty graph"),
        (_no_block, "no ODE block found"),
        (lambda path: None, "no such model"),
    ],
)
def test_bad_models(write, message, tmp_path, capsys):
    path = tmp_path / "model.onnx"
    write(path)
    status = main(["build", str(ESTIMATES), "--model", str(path), "--out", str(tmp_path / "out")])
    error = capsys.readouterr().err
    assert status == 2
    assert f"error: {path}: {message}" in error


def test_a_folding_config_with_an_unknown_node(model_path, tmp_path):
    (tmp_path / "folding.json").write_text(json.dumps({"Defaults": {}, "MVAU_rtl_99": {"PE": 2}}))
    path = _changed(tmp_path, folding_config_file="folding.json")
    with pytest.raises(UserError, match="the model has no node called MVAU_rtl_99"):
        build(path, model_path, tmp_path / "out", lambda line: None)


def test_an_output_folder_that_cannot_be_written(model_path, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    status = main(["build", str(ESTIMATES), "--model", str(model_path), "--out", str(tmp_path / "file" / "out")])
    assert status == 2
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_an_interrupt_ends_with_one_line(model_path, tmp_path, capsys, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("finn_flow.steps.hardware.NameNodes.apply", interrupt)
    status = main(["build", str(ESTIMATES), "--model", str(model_path), "--out", str(tmp_path / "out")])
    assert status == 1
    assert capsys.readouterr().err.splitlines()[-1] == "error: interrupted"
