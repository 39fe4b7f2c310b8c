import pytest
import torch

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.calibration import best_exponent, calibrate_quantizers, estimate_statistics
from brevitas_models.networks import quantized_network
from tests.brevitas_models.cases import case


@pytest.mark.parametrize(
    ("values", "low", "high", "exponent"),
    [
        ([0.0, 15.0], 0, 15, 0),
        ([0.0, 16.0], 0, 15, 1),
        ([-8.0, 7.0], -8, 7, 0),
        ([-0.5, 0.25], -8, 7, -4),
        # One outlier among many is worth clipping.
        ([0.1 * i for i in range(100)] * 20 + [24.0], 0, 15, 0),
    ],
)
def test_best_exponent(values, low, high, exponent):
    assert best_exponent(torch.tensor(values), low, high) == exponent


def test_zeros_have_a_scale_too():
    assert best_exponent(torch.zeros(4), 0, 15) == -24


def test_calibration_sets_every_scale_and_statistics_are_kept_apart():
    torch.manual_seed(0)
    network = quantized_network(case("non-square"))
    batches = list(torch.rand(32, 3, 12, 20).split(16))
    calibrate_quantizers(network, batches)
    scales = {name: value for name, value in network.named_parameters() if name.endswith("scaling_impl.value")}
    # In the middle between two powers of two, where a small step of training changes nothing.
    assert {float(value.detach()) % 1 for value in scales.values()} == {0.5}
    assert set(scales) <= set(network.state_dict())

    before = {name: value.clone() for name, value in network.named_parameters()}
    estimate_statistics(network, batches)
    assert not network.training
    assert all(torch.equal(before[name], value) for name, value in network.named_parameters())
    norms = [module for module in network.modules() if isinstance(module, FieldBatchNorm)]
    assert all(bool((norm.running_mean != 0).any(dim=1).all()) for norm in norms)
