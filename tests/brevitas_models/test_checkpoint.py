import pytest
import torch

from brevitas_models.checkpoint import load_checkpoint, save_checkpoint
from brevitas_models.untrained import untrained_network
from finn_flow.errors import UserError
from tests.brevitas_models.cases import case

ADVICE = r"; use the checkpoint.pt \(or the folder\) of a finished `dsode train`"


@pytest.fixture(scope="module")
def network():
    return untrained_network(case("one block"), seed=1)


@pytest.fixture
def path(network, tmp_path):
    save_checkpoint(tmp_path / "checkpoint.pt", network, ("a", "b"), {"note": 1})
    return tmp_path / "checkpoint.pt"


def test_what_is_saved_comes_back(network, path):
    images = torch.rand(4, 1, 8, 8)
    for source in (path, path.parent):
        config, loaded = load_checkpoint(source)
        assert config == network.config
        assert torch.equal(loaded(images), network(images))


def test_truncated(path):
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match="checkpoint.pt: truncated, or not a file of this program" + ADVICE):
        load_checkpoint(path)


def test_something_else(path):
    torch.save({"state_dict": {}}, path)
    with pytest.raises(UserError, match="a PyTorch file, but not a dsode-network file" + ADVICE):
        load_checkpoint(path)
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(UserError, match="truncated, or not a file of this program"):
        load_checkpoint(path)
    path.write_bytes(b"")
    with pytest.raises(UserError, match="truncated, or not a file of this program"):
        load_checkpoint(path)


def test_a_folder_without_one(tmp_path):
    with pytest.raises(UserError, match="checkpoint.pt: there is no such file" + ADVICE):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "has version 2, not 1"),
        ({"state": None}, "its `state` is missing or damaged"),
        ({"network": {"in_channels": 1}}, "missing key `image_size`"),
        ({"state": {}}, "weights do not fit the network, the first is stem"),
    ],
)
def test_wrong_content(path, change, message):
    torch.save({**torch.load(path, weights_only=True), **change}, path)
    with pytest.raises(UserError, match=message):
        load_checkpoint(path)


def test_weights_of_another_network(path):
    content = torch.load(path, weights_only=True)
    content["network"]["channels"] = [5]
    torch.save(content, path)
    with pytest.raises(UserError, match=r"weights do not fit the network, the first is stem\.convolution.weight"):
        load_checkpoint(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_no_numbers(path, value):
    content = torch.load(path, weights_only=True)
    content["state"]["blocks.0.field.norms.1.bias"][2] = value
    torch.save(content, path)
    message = r"checkpoint\.pt: `blocks\.0\.field\.norms\.1\.bias` has NaN or infinite values, 1 of \d+; train it again"
    with pytest.raises(UserError, match=message):
        load_checkpoint(path)
