"""Networks of many shapes, from the command line to the simulated accelerator: not one mismatch."""

import json

import pytest

from finn_flow.cli.group import main
from tests.places import BUILD_CONFIGS

CONFIG = BUILD_CONFIGS / "zcu104.json"
FRAMES = 4


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(
            {"in_channels": 3, "image_size": [12, 20], "channels": [6, 10], "iterations": [3, 5], "num_classes": 7},
            id="rgb-not-square",
        ),
        pytest.param(
            {
                "in_channels": 1,
                "image_size": [8, 8],
                "channels": [5],
                "iterations": [32],
                "convolution": "dense",
                "weight_bits": 2,
                "activation_bits": 2,
                "state_bits": 4,
            },
            id="32-iterations-2-bit-dense",
        ),
        pytest.param(
            {
                "in_channels": 1,
                "image_size": [16, 18],
                "channels": [2, 3, 4, 6],
                "iterations": [2, 3, 2, 2],
                "weight_bits": 8,
                "activation_bits": 6,
                "state_bits": 12,
                "time": "none",
                "batch_norm": "shared",
            },
            id="four-blocks-8-bit",
        ),
        pytest.param(
            {
                "in_channels": 1,
                "image_size": [2, 5],
                "channels": [1],
                "iterations": [2],
                "num_classes": 2,
                "weight_bits": 2,
                "activation_bits": 2,
                "state_bits": 4,
            },
            id="accumulators-narrower-than-a-product",
        ),
        pytest.param(
            {"in_channels": 3, "image_size": [64, 64], "channels": [3], "iterations": [2], "num_classes": 2},
            id="rgb-64x64",
        ),
    ],
)
def test_no_mismatch(network, tmp_path, capsys):
    (tmp_path / "network.json").write_text(json.dumps(network))
    model, build = str(tmp_path / "model.onnx"), str(tmp_path / "build")
    untrained = ["--untrained", str(tmp_path / "network.json"), "--seed", "3"]
    assert main(["export", *untrained, "--out", model, "--samples", str(FRAMES)]) == 0
    assert main(["build", str(CONFIG), "--model", model, "--out", build, "--json"]) == 0
    capsys.readouterr()
    golden = ["--golden", str(tmp_path / "golden.npz")]
    status = main(["simulate", build, *golden, "--stall", "0.2", "--seed", "5", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert (status, result["frames"], result["mismatches"]) == (0, FRAMES, 0)
