import pytest
import torch
from brevitas.core.quant import IntQuant
from hypothesis import given, settings
from hypothesis import strategies as st

from brevitas_models import quantisers
from brevitas_models.fused_quant import FusedIntQuant

KINDS = {
    "relu": quantisers.quant_relu,
    "signed": quantisers.quant_signed,
    "unsigned": quantisers.quant_unsigned,
}


def calibrated(kind, bits):
    layer = KINDS[kind](bits)
    tensor_quant = layer.act_quant.fused_activation_quant_proxy.tensor_quant
    assert type(tensor_quant.int_quant) is FusedIntQuant
    with torch.no_grad():
        tensor_quant.scaling_impl.init_scale()
        tensor_quant.scaling_impl.value.fill_(0.5)
    return layer, tensor_quant


@settings(max_examples=30)
@given(kind=st.sampled_from(list(KINDS)), bits=st.integers(2, 12), seed=st.integers(0, 2**31), training=st.booleans())
def test_same_values_and_gradients_as_brevitas(kind, bits, seed, training):
    layer, tensor_quant = calibrated(kind, bits)
    layer.train(training)
    generator = torch.Generator().manual_seed(seed)
    values, gradient = (torch.randn(2, 3, 4, 4, generator=generator) * 2 for _ in range(2))
    # Halves of the scale, where the rounding must go to even.
    scale = float(layer.act_quant.scale().detach())
    values.view(-1)[:8] = (torch.arange(8) - 3.5) * scale
    results = []
    for int_quant in (FusedIntQuant, IntQuant):
        tensor_quant.int_quant.__class__ = int_quant
        layer.zero_grad()
        inputs = values.clone().requires_grad_()
        output = layer(inputs)
        output.backward(gradient)
        results.append((output.detach(), inputs.grad, tensor_quant.scaling_impl.value.grad.clone()))
    (output, slope, scale_slope), (expected, expected_slope, expected_scale_slope) = results
    assert torch.equal(output, expected)
    assert torch.equal(slope, expected_slope)
    torch.testing.assert_close(scale_slope, expected_scale_slope, rtol=1e-4, atol=1e-3)


def test_input_quantiser_keeps_every_code():
    codes = torch.arange(256) * 2.0**-8
    assert torch.equal(quantisers.quant_input()(codes), codes)


@pytest.mark.parametrize(("kind", "low", "high"), [("signed", -8, 7), ("unsigned", 0, 15), ("relu", 0, 15)])
def test_range(kind, low, high):
    layer, _ = calibrated(kind, 4)
    scale = layer.act_quant.scale()
    codes = layer(torch.tensor([-1e3, 1e3])) / scale
    assert codes.tolist() == [low, high]
