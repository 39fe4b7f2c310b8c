import pytest
import torch

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.calibration import best_exponent, calibrate_quantisers, estimate_statistics
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
    calibrate_quantisers(network, batches)
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


def test_statistics_do_not_depend_on_how_images_are_spread_over_batches():
    """Of the first layer, whose input no batch-norm has touched; later ones see inputs normalised batch by batch."""
    torch.manual_seed(0)
    network = quantized_network(case("non-square"))
    images = torch.rand(34, 3, 12, 20)
    calibrate_quantisers(network, [images])
    found = []
    for sizes in ([34], [32, 2], [2, 15, 17]):
        estimate_statistics(network, list(images.split(sizes)))
        found.append(torch.cat([network.stem.norm.running_mean, network.stem.norm.running_var]))
    torch.testing.assert_close(found[1], found[0])
    torch.testing.assert_close(found[2], found[0])
