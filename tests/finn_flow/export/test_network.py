"""Exported graphs give Brevitas's logits bit for bit: trained on real images, and untrained in every corner."""

import json

import numpy as np
import pytest
import torch
from qonnx.core.modelwrapper import ModelWrapper

from brevitas_models.calibration import calibrate_quantisers, estimate_statistics
from brevitas_models.config import preset
from brevitas_models.exactness import EXACT_BELOW, accumulator_bounds, check_exact
from brevitas_models.networks import quantized_network
from brevitas_models.training.domains import image_values, network_preprocessing
from brevitas_models.untrained import smooth_images, untrained_network
from finn_flow.errors import FlowError, UserError
from finn_flow.execution import execute_batch
from finn_flow.export.network import export_network, make_golden, network_values, to_qonnx, verify
from tests.brevitas_models.cases import MATRIX, case

KINDS = {"Conv", "Mul", "Add", "Relu", "Quant", "ReduceSum", "MatMul", "Gemm", "Reshape", "Squeeze", "Transpose"}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(mnist):
    """Return a tiny network after a few steps of training on real digits."""
    torch.manual_seed(0)
    config = preset("dsodenet-tiny")
    network = quantized_network(config)
    digits = mnist["train"].subset(slice(0, 1024)).preprocessed(network_preprocessing(config))
    batches = list(image_values(torch.from_numpy(digits.images).permute(0, 3, 1, 2)).split(128))
    calibrate_quantisers(network, batches[:2])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    network.train()
    for images, labels in zip(batches, torch.from_numpy(digits.labels).split(128), strict=True):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    estimate_statistics(network, batches[:2])
    return network


@pytest.fixture(scope="module")
def graph(trained):
    return to_qonnx(trained)


def test_a_trained_network_on_a_thousand_real_images(trained, usps, tmp_path):
    preprocessing = network_preprocessing(trained.config)
    images = usps["test"].subset(slice(0, 1000)).preprocessed(preprocessing)
    path = tmp_path / "model.onnx"
    golden = export_network(trained, path, images.images, images.labels, {"preprocessing": preprocessing.to_json()})
    assert len(np.unique(golden.logits.argmax(axis=1))) >= 5

    stored = np.load(tmp_path / "golden.npz")
    assert {name: (stored[name].shape, stored[name].dtype.name) for name in stored} == {
        "inputs": ((1000, 14, 14, 1), "uint8"),
        "logits": ((1000, 10), "float32"),
        "predicted": ((1000,), "int64"),
        "labels": ((1000,), "int64"),
    }
    notes = json.loads((tmp_path / "golden.json").read_text())
    assert notes["preprocessing"]["image_size"] == [14, 14]
    assert notes["network"] == trained.config.model_dump()
    # The written file as it is, every iteration on its own.
    model = ModelWrapper(str(path))
    assert {node.op_type for node in model.graph.node} <= KINDS
    logits = execute_batch(model, network_values(stored["inputs"])).reshape(1000, 10)
    assert np.array_equal(logits, stored["logits"])


def test_quantiser_nodes_have_power_of_two_scales_and_no_zero_point(graph):
    for node in graph.get_nodes_by_op_type("Quant"):
        scale, zero_point = (graph.get_initializer(name) for name in node.input[1:3])
        assert np.all(np.log2(scale) % 1 == 0)
        assert not np.any(zero_point)


@pytest.mark.parametrize("name", MATRIX)
def test_untrained_networks(name, tmp_path):
    config = case(name)
    network = untrained_network(config, seed=5)
    inputs = smooth_images(config, 6, seed=6)
    assert inputs.shape == (6, *config.image_size, config.in_channels)
    golden = export_network(network, tmp_path / "model.onnx", inputs, None, {})
    assert len(np.unique(golden.logits)) > config.num_classes
    assert golden.logits.std(axis=0).min() > 0
    assert "labels" not in np.load(tmp_path / "golden.npz")


def test_the_seed_decides():
    config = case("one block")
    first, again, other = (untrained_network(config, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_untrained_networks_are_not_degenerate():
    config = case("non-square")
    network = untrained_network(config, seed=0)
    golden = make_golden(network, smooth_images(config, 200, seed=9))
    assert len(np.unique(golden.logits.argmax(axis=1))) >= 3
    with torch.no_grad():
        state = network.blocks[1](network.strides[0](network.blocks[0](network.stem(torch.rand(2, 3, 12, 20)))))
    assert len(state.unique()) > 20


def test_accumulator_bounds_hold_and_are_reached():
    network = untrained_network(case("one block"), seed=0)
    bounds = accumulator_bounds(network)
    assert set(bounds) == {
        "stem.convolution",
        *(f"blocks.0.field.convolutions.{index}" for index in range(4)),
        "blocks.0.state",
        "pool",
        "classifier",
    }
    assert bounds["pool"] == 64 * 15
    weight = network.stem.convolution.quant_weight()
    codes = (weight.value / weight.scale).detach().round()
    assert bounds["stem.convolution"] == 255 * int(codes.abs().sum(dim=(1, 2, 3)).max())
    check_exact(network)


def test_an_accumulator_that_float32_cannot_hold(monkeypatch):
    network = untrained_network(case("one block"), seed=0)
    monkeypatch.setattr("brevitas_models.exactness.accumulator_bounds", lambda network: {"stem": EXACT_BELOW})
    with pytest.raises(FlowError, match=r"stem: its accumulator can reach 16777216, but must stay below 2\^24"):
        check_exact(network)


@pytest.mark.parametrize(
    ("parameter", "value", "named"),
    [
        ("classifier.weight", float("nan"), "classifier.weight"),
        ("stem.norm.running_mean", float("inf"), "stem.norm.running_mean"),
        ("blocks.0.field.norms.2.running_var", -1.0, "blocks.0.field.norms.2, factor"),
        ("stem.norm.weight", 3e38, "stem.norm, factor"),
    ],
)
def test_parameters_that_are_no_numbers_are_named(parameter, value, named, tmp_path):
    network = untrained_network(case("one block"), seed=0)
    with torch.no_grad():
        network.stem.norm.running_var.fill_(1e-4)
        dict([*network.named_parameters(), *network.named_buffers()])[parameter].view(-1)[0] = value
    inputs = smooth_images(network.config, 1, seed=0)
    with pytest.raises(UserError, match=f"the network: `{named}` has NaN or infinite values, 1 of"):
        export_network(network, tmp_path / "model.onnx", inputs, None, {})
    assert not any(tmp_path.iterdir())


def test_a_mismatch_is_counted_and_shown(trained, graph):
    inputs = smooth_images(trained.config, 3, seed=0)
    golden = make_golden(trained, inputs)
    golden.logits[1, 4] += 0.5
    golden.logits[2, 0] -= 0.5
    with pytest.raises(FlowError, match="differs from Brevitas in 2 of 30 logits; the first: image 1, logit 4: "):
        verify(graph, golden)


def test_network_values_are_codes_times_the_scale():
    codes = np.arange(12, dtype=np.uint8).reshape(1, 2, 3, 2)
    values = network_values(codes)
    assert values.shape == (1, 2, 2, 3)
    assert values.dtype == np.float32
    assert values[0, 1, 1, 2] == 11 / 256
