"""A finished training becomes a network of the zoo."""

import json

import pytest
import torch

from brevitas_models.checkpoint import load_checkpoint, save_checkpoint
from brevitas_models.config import preset
from brevitas_models.training.config import TrainingConfig, load_training_config
from brevitas_models.untrained import untrained_network
from brevitas_models.zoo import adding
from brevitas_models.zoo.adding import add_to_zoo
from finn_flow.errors import UserError
from tests.brevitas_models.training.synthetic import CONFIG


@pytest.fixture
def run(tmp_path):
    """Return what a finished training leaves behind."""
    config = TrainingConfig.model_validate({**CONFIG, "network": preset("dsodenet-tiny").model_dump()})
    accuracy = {"quantised": {"source": 0.5, "target": 0.25}}
    details = {"training": config.model_dump(), "accuracy": accuracy}
    folder = tmp_path / "run"
    folder.mkdir()
    save_checkpoint(folder / "checkpoint.pt", untrained_network(config.network, 0), tuple("0123456789"), details)
    (folder / "metrics.json").write_text(json.dumps({"accuracy": accuracy}))
    return folder


def test_what_is_written(run, tmp_path):
    folder = add_to_zoo(run, "mnist-usps-tiny", tmp_path / "zoo")
    assert folder == tmp_path / "zoo" / "mnist-usps-tiny"
    (_, network), (_, original) = load_checkpoint(folder), load_checkpoint(run)
    expected = original.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in network.state_dict().items())
    assert load_training_config(folder / "config.json").network == network.config
    assert json.loads((folder / "metrics.json").read_text())["accuracy"]["quantised"]["target"] == 0.25


@pytest.mark.parametrize("name", ["", "Small", "../small", "a--b", "a/b"])
def test_names(run, tmp_path, name):
    with pytest.raises(UserError, match="the name must be of small letters, digits and single hyphens"):
        add_to_zoo(run, name, tmp_path / "zoo")


def test_a_checkpoint_that_is_too_large(run, tmp_path, monkeypatch):
    monkeypatch.setattr(adding, "LARGEST_BYTES", 10_000)
    with pytest.raises(UserError, match=r"its checkpoint takes .* bytes, more than the 10,000 that ship"):
        add_to_zoo(run, "small", tmp_path / "zoo")
    assert not list((tmp_path / "zoo").rglob("*.pt"))


def test_no_finished_training(tmp_path):
    with pytest.raises(UserError, match="there is no such file"):
        add_to_zoo(tmp_path, "small", tmp_path / "zoo")
