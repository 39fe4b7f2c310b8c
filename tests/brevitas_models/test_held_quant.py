"""What is held gives the same values and gradients as what is computed anew for each use."""

from contextlib import nullcontext

import pytest
import torch

from brevitas_models import ode_block
from brevitas_models.calibration import calibrate_quantisers
from brevitas_models.held_quant import HeldScaleIntQuant, hold_quantisers
from brevitas_models.networks import quantized_network
from brevitas_models.quantisers import quant_conv, quant_relu
from tests.brevitas_models.cases import case


def test_a_weight():
    torch.manual_seed(0)
    layer, images = quant_conv(3, 4, 3, weight_bits=4), torch.rand(2, 3, 6, 6)
    results = []
    for context in (nullcontext(), hold_quantisers(layer)):
        layer.zero_grad()
        with context:
            output = layer(images) + layer(images.flip(2))
        assert layer.held_weight is None
        output.square().sum().backward()
        results.append((output.detach(), layer.weight.grad.clone()))
    torch.testing.assert_close(results[0], results[1])


def test_a_whole_network(monkeypatch):
    torch.manual_seed(0)
    network = quantized_network(case("non-square"))
    images = torch.rand(8, 3, 12, 20)
    calibrate_quantisers(network, [images])
    network.train()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    results = []
    for hold in (lambda module: nullcontext(), hold_quantisers):
        monkeypatch.setattr(ode_block, "hold_quantisers", hold)
        network.load_state_dict(state)
        network.zero_grad()
        logits = network(images)
        logits.square().sum().backward()
        results.append((logits.detach(), {name: value.grad for name, value in network.named_parameters()}))
    assert torch.equal(results[0][0], results[1][0])
    assert all(value is not None for value in results[0][1].values())
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-3, atol=1e-3)


def uses(layer, count):
    """Scales that `layer` computes in `count` uses within a block."""
    quantizer = layer.act_quant.fused_activation_quant_proxy.tensor_quant
    assert isinstance(quantizer, HeldScaleIntQuant)
    computed = []
    handle = quantizer.scaling_impl.register_forward_hook(lambda *arguments: computed.append(1))
    with hold_quantisers(layer):
        for _ in range(count):
            layer(torch.rand(2, 3))
    handle.remove()
    assert quantizer.held is None
    return len(computed)


@pytest.mark.parametrize(("training", "calibrated", "computed"), [(True, True, 1), (False, True, 5), (True, False, 5)])
def test_a_scale_is_computed_once_in_training_after_calibration(training, calibrated, computed):
    layer = quant_relu(4).train()
    scaling = layer.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl
    layer(torch.rand(4, 3))
    if calibrated:
        with torch.no_grad():
            scaling.init_scale()
    layer.train(training)
    assert uses(layer, 5) == computed
