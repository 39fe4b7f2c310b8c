import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from brevitas_models.checkpoint import save_checkpoint
from brevitas_models.config import preset
from brevitas_models.training.config import TrainingConfig
from brevitas_models.untrained import untrained_network
from finn_flow.cli import main
from tests.brevitas_models.training.synthetic import CONFIG


def test_untrained(tmp_path, capfd):
    path = tmp_path / "new" / "model.onnx"
    (tmp_path / "net.json").write_text(json.dumps(CONFIG["network"]))
    arguments = [
        "export",
        "--untrained",
        str(tmp_path / "net.json"),
        "--seed",
        "3",
        "--samples",
        "4",
        "--quiet",
        "--out",
        str(path),
    ]
    assert main([*arguments, "--json"]) == 0
    printed = capfd.readouterr()
    assert json.loads(printed.out) == {"model": str(path), "samples": 4, "bit_exact": True, "right": None}
    assert printed.err == ""
    assert sorted(file.name for file in path.parent.iterdir()) == ["golden.json", "golden.npz", "model.onnx"]
    notes = json.loads((path.parent / "golden.json").read_text())
    assert (notes["dataset"], notes["accuracy"]) == ("random", None)


def test_a_checkpoint(usps, tmp_path, capsys):
    config = TrainingConfig.model_validate({**CONFIG, "network": preset("dsodenet-tiny").model_dump()})
    network = untrained_network(config.network, seed=0)
    names = tuple(str(digit) for digit in range(10))
    details = {"training": config.model_dump(), "accuracy": {"quantised": {"source": 0.5, "target": 0.25}}}
    save_checkpoint(tmp_path / "checkpoint.pt", network, names, details)
    assert main(["export", str(tmp_path), "--samples", "20", "--out", str(tmp_path / "model.onnx")]) == 0
    assert "equal to Brevitas, bit for bit, on 20 golden inputs" in capsys.readouterr().out
    golden = np.load(tmp_path / "golden.npz")
    assert golden["inputs"].shape == (20, 14, 14, 1)
    assert golden["labels"].tolist() == usps["test"].labels[:20].tolist()
    notes = json.loads((tmp_path / "golden.json").read_text())
    assert notes["dataset"] == "usps"
    assert notes["class_names"] == list(names)
    assert notes["preprocessing"]["image_size"] == [14, 14]
    assert notes["accuracy"] == 0.25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name either a training's folder (or checkpoint, or zoo:NAME) or --untrained CONFIG"),
        (["there", "--untrained", "dsodenet-tiny"], "name either"),
        (["there"], "there: there is no such file"),
        (["--untrained", "resnet"], "resnet: neither a JSON file nor a network preset"),
    ],
)
def test_mistakes(tmp_path, capsys, arguments, message):
    assert main(["export", *arguments, "--out", str(tmp_path / "model.onnx")]) == 2
    assert message in capsys.readouterr().err


def test_a_wrong_file_name(tmp_path, capsys):
    assert main(["export", "--untrained", "dsodenet-tiny", "--out", str(tmp_path / "model.bin")]) == 2
    assert "--out must be a file name that ends in .onnx" in capsys.readouterr().err


@pytest.mark.parametrize("foreign", [True, False])
def test_damaged_checkpoints(tmp_path, capsys, foreign):
    path = tmp_path / "checkpoint.pt"
    torch.save({"weight": torch.zeros(99)}, path)
    if not foreign:
        path.write_bytes(path.read_bytes()[:300])
    assert main(["export", str(path), "--out", str(tmp_path / "model.onnx")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}: ")
    assert "finished `dsode train`" in error
    assert len(error.splitlines()) == 1


def test_an_output_folder_that_is_a_file(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    arguments = ["export", "--untrained", "dsodenet-tiny", "--out", str(tmp_path / "file" / "model.onnx")]
    assert main(arguments) == 2
    assert "must be a folder, not a file" in capsys.readouterr().err


def test_importing_the_models_warns_of_nothing():
    code = "import brevitas_models.networks"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
