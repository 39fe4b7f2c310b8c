"""FINN's keys of verification are heeded, and keys that change nothing are named."""

import json
from pathlib import Path

import numpy as np
import pytest

from finn_flow.build import build
from finn_flow.errors import FlowError, UserError
from finn_flow.execution import execute_batch
from finn_flow.finn_adapter.environment import ensure_finn
from tests.finn_flow.transformations.qonnx_graphs import ode_net
from tests.places import BUILD_CONFIGS

FRAMES = 3
STEPS = ["initial_python", "finn_onnx_python", "streamlined_python", "folded_hls_cppsim"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Return a folder with model.onnx, input.npy (values), expected_output.npy (logits)."""
    ensure_finn()
    folder = tmp_path_factory.mktemp("files")
    model = ode_net((2,), state_output=False)
    model.save(str(folder / "model.onnx"))
    shape = model.get_tensor_shape(model.graph.input[0].name)
    values = np.random.default_rng(0).integers(0, 256, (FRAMES, *shape[1:])) / np.float32(128)
    np.save(folder / "input.npy", values.astype(np.float32))
    np.save(folder / "expected_output.npy", execute_batch(model, values))
    return folder


def run(files: Path, out: Path, name: str = "zcu104_estimates.json", **keys: object) -> list[str]:
    config = json.loads((BUILD_CONFIGS / name).read_text()) | keys
    (files / "config.json").write_text(json.dumps(config))
    lines: list[str] = []
    build(files / "config.json", files / "model.onnx", out, lines.append)
    return lines


def written(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "verification_output").iterdir())


def test_every_step_writes_what_came_out(files, tmp_path) -> None:
    run(files, tmp_path, verify_steps=STEPS)
    assert written(tmp_path) == sorted(f"verify_{name}_{n}_SUCCESS.npy" for name in STEPS for n in range(FRAMES))
    found = np.load(tmp_path / "verification_output" / "verify_folded_hls_cppsim_1_SUCCESS.npy")
    np.testing.assert_array_equal(found, np.load(files / "expected_output.npy")[1:2])


def test_labels_may_be_expected_and_all_tensors_kept(files, tmp_path) -> None:
    labels = np.load(files / "expected_output.npy").argmax(axis=1).reshape(FRAMES, 1)
    np.save(files / "labels.npy", labels)
    keys = {"verify_expected_output_npy": "labels.npy", "verify_save_full_context": True}
    run(files, tmp_path, verify_steps=["folded_hls_cppsim"], **keys)
    assert written(tmp_path) == [f"verify_folded_hls_cppsim_{n}_SUCCESS.npz" for n in range(FRAMES)]
    assert len(np.load(tmp_path / "verification_output" / written(tmp_path)[0]).files) >= 10


def test_a_wrong_expectation_stops_the_build(files, tmp_path) -> None:
    expected = np.load(files / "expected_output.npy")
    expected[1, 0] += 1
    np.save(files / "wrong.npy", expected)
    with pytest.raises(FlowError, match="streamlined_python: 1 of 3 outputs differ"):
        run(files, tmp_path, verify_steps=["streamlined_python"], verify_expected_output_npy="wrong.npy")
    assert written(tmp_path) == [
        f"verify_streamlined_python_{n}_{r}.npy" for n, r in enumerate(("SUCCESS", "FAIL", "SUCCESS"))
    ]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"verify_steps": ["passes_frontend"]}, "`verify_steps` must not name passes_frontend"),
        ({"verify_steps": STEPS, "verify_input_npy": "no.npy"}, "`verify_input_npy`: there is no file no.npy"),
        ({"shell_flow_type": "vitis_alveo"}, "`shell_flow_type` must be vivado_zynq, not vitis_alveo"),
    ],
)
def test_what_cannot_be_verified(keys, message, files, tmp_path) -> None:
    with pytest.raises(UserError, match=message):
        run(files, tmp_path, **keys)


def test_keys_that_change_nothing_are_named_once(files, tmp_path) -> None:
    keys = {"standalone_thresholds": True, "mvau_wwidth_max": 99, "large_fifo_mem_style": "block"}
    lines = run(files, tmp_path, **keys)
    warnings = [line for line in lines if line.startswith("warning")]
    named = "large_fifo_mem_style, mvau_wwidth_max, standalone_thresholds"
    assert warnings == [f"warning: these keys of {files / 'config.json'} change nothing in this build: {named}"]
    assert not [line for line in run(files, tmp_path / "plain") if line.startswith("warning")]


def test_the_netlist_is_simulated(files, tmp_path) -> None:
    run(files, tmp_path, "zcu104.json", verify_steps=["stitched_ip_rtlsim"])
    assert written(tmp_path) == [f"verify_stitched_ip_rtlsim_{number}_SUCCESS.npy" for number in range(FRAMES)]
