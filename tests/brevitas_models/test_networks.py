import pytest
import torch

from brevitas_models.calibration import load_float_weights
from brevitas_models.config import PRESETS, preset
from brevitas_models.networks import GlobalSumPool, float_network, quantized_network
from tests.brevitas_models.cases import MATRIX, case


@pytest.mark.parametrize("name", MATRIX)
def test_shapes(name):
    config = case(name)
    images = torch.rand(2, config.in_channels, *config.image_size)
    for network in (float_network(config), quantized_network(config)):
        assert network(images).shape == (2, config.num_classes)
        assert network.features(images).shape == (2, config.channels[-1])


@pytest.mark.parametrize("name", [*PRESETS])
def test_the_float_twin_has_the_same_weights(name):
    network, twin = quantized_network(preset(name)), float_network(preset(name))
    scales = {key for key, _ in network.named_parameters() if key.endswith("scaling_impl.value")}
    assert dict(network.named_parameters()).keys() - scales == dict(twin.named_parameters()).keys()
    load_float_weights(network, twin.state_dict())
    own = network.state_dict()
    assert all(torch.equal(own[key], value) for key, value in twin.state_dict().items())


def test_weights_of_another_network_are_refused():
    network = quantized_network(preset("dsodenet-tiny"))
    state = float_network(preset("dsodenet-tiny")).state_dict()
    classifier = state.pop("classifier.weight")
    with pytest.raises(ValueError, match=r"not the float twin: missing \['classifier.weight'\], unexpected \[\]"):
        load_float_weights(network, state)
    with pytest.raises(ValueError, match=r"missing \[\], unexpected \['other'\]"):
        load_float_weights(network, {**state, "classifier.weight": classifier, "other": classifier})


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (7, 7), (5, 3)])
def test_pool_is_the_mean_up_to_a_constant_below_one(size):
    pool = GlobalSumPool(size)
    pooled = pool(torch.ones(1, 3, *size))
    assert 0.5 < float(pooled[0, 0]) <= 1
    assert float(torch.tensor(pool.factor).log2()) % 1 == 0


def test_fields_of_their_own_compute_the_same_with_equal_weights():
    shared = preset("dsodenet-tiny").model_copy(update={"batch_norm": "shared", "time": "none"})
    own = shared.model_copy(update={"field_weights": "per_iteration"})
    torch.manual_seed(0)
    ode, residual = float_network(shared).eval(), float_network(own).eval()
    state = {}
    for name in residual.state_dict():
        block = name.split(".")
        source = ".".join([*block[:2], "field", *block[4:]]) if "own_fields" in name else name
        state[name] = ode.state_dict()[source]
    residual.load_state_dict(state)
    images = torch.rand(3, 1, 14, 14)
    assert torch.equal(ode(images), residual(images))
    with torch.no_grad():
        residual.ode_blocks[1].fields[2].convolutions[0].weight += 1.0
    assert not torch.equal(ode(images), residual(images))


def test_fields_of_their_own_multiply_the_parameters():
    tiny = preset("dsodenet-tiny")
    per_field = [sum(p.numel() for p in block.field.parameters()) for block in float_network(tiny).ode_blocks]
    counts = [
        sum(p.numel() for p in float_network(tiny.model_copy(update={"field_weights": kind})).parameters())
        for kind in ("shared", "per_iteration")
    ]
    assert counts[1] - counts[0] == per_field[0] * (2 - 1) + per_field[1] * (3 - 1)
