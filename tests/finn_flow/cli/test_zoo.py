"""`dsode zoo list`, and `zoo:NAME` where a checkpoint or a model is asked for."""

import json

import numpy as np
import pytest

from brevitas_models.zoo import load_entry, zoo_names
from finn_flow.cli import main
from tests.places import BUILD_CONFIGS

NAME = "mnist-usps-quick"


def test_list(capsys):
    assert main(["zoo", "list", "--json"]) == 0
    networks = json.loads(capsys.readouterr().out)["networks"]
    assert networks == [load_entry(name).to_json() for name in zoo_names()]
    assert main(["zoo", "list"]) == 0
    printed = capsys.readouterr().out
    assert all(f"zoo:{entry['name']}" in printed and f"{entry['accuracy']:.2%}" in printed for entry in networks)


def test_a_build_of_a_network_of_the_zoo(usps, tmp_path, capsys):
    config = BUILD_CONFIGS / "zcu104_estimates.json"
    assert main(["build", str(config), "--model", f"zoo:{NAME}", "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["network"]["cycles_per_frame"] > 0
    golden = np.load(tmp_path / "golden.npz")
    assert golden["labels"].tolist() == usps["test"].labels[:32].tolist()
    assert (golden["predicted"] == golden["labels"]).mean() > 0.8
    notes = json.loads((tmp_path / "golden.json").read_text())
    assert notes["accuracy"] == load_entry(NAME).accuracy


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "zoo:nothing", "--out", "{}/model.onnx"],
        ["build", str(BUILD_CONFIGS / "zcu104.json"), "--model", "zoo:nothing", "--out", "{}"],
    ],
)
def test_a_name_that_is_none(tmp_path, capsys, arguments):
    assert main([argument.format(tmp_path) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: no network of the zoo is called 'nothing'; use one of ")
    assert len(error.splitlines()) == 1
