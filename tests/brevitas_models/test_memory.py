"""What a network holds in memory does not grow with the number of images, and its results do not depend on it."""

import numpy as np
import pytest
import torch

from brevitas_models import calibration, memory
from brevitas_models.calibration import calibrate_quantisers
from brevitas_models.config import PRESETS, NetworkConfig, preset
from brevitas_models.memory import images_at_once
from brevitas_models.networks import quantized_network
from brevitas_models.untrained import smooth_images, untrained_network
from finn_flow import execution
from finn_flow.execution import execute_batch
from finn_flow.export.network import make_golden, network_values
from finn_flow.export.qonnx import to_qonnx

SMALL = NetworkConfig(in_channels=1, image_size=[8, 6], channels=[3], iterations=[2])


@pytest.mark.parametrize(
    ("image_size", "channels", "images"),
    [([224, 224], [32, 64, 128, 256], 10), ([96, 96], [32, 64, 128], 56), ([1024, 2048], [32], 1), ([8, 8], [4], 128)],
)
def test_images_at_once(image_size, channels, images):
    iterations = [2] * len(channels)
    config = NetworkConfig(in_channels=3, image_size=image_size, channels=channels, iterations=iterations)
    assert images_at_once(config, 128) == images


def test_presets_are_small():
    assert all(images_at_once(preset(name), 128) == 128 for name in PRESETS)


def test_results_do_not_depend_on_it(monkeypatch):
    network = untrained_network(SMALL, seed=0)
    model = to_qonnx(network)
    images = smooth_images(SMALL, 7, seed=1)
    expected = make_golden(network, images).logits
    assert execution.images_at_once(model) == execution.CHUNK
    monkeypatch.setattr(memory, "VALUES", 2 * 3 * 48)
    monkeypatch.setattr(execution, "VALUES", 2 * 3 * 48)
    assert images_at_once(SMALL, 128) == execution.images_at_once(model) == 2
    assert np.array_equal(make_golden(network, images).logits, expected)
    assert np.array_equal(execute_batch(model, network_values(images)), expected)


def test_calibration_keeps_samples_only(monkeypatch):
    """Each of a dozen activations takes 512 KiB; what is kept of it, as samples, must not be a view of the whole."""
    config = NetworkConfig(in_channels=1, image_size=[32, 32], channels=[16], iterations=[2])
    torch.manual_seed(0)
    network = quantized_network(config)
    kept = []

    def cat(tensors):
        kept.extend(tensor.untyped_storage().nbytes() for tensor in tensors)
        return original(tensors)

    original = torch.cat
    monkeypatch.setattr(torch, "cat", cat)
    calibrate_quantisers(network, [torch.rand(8, 1, 32, 32)])
    assert len(kept) > 10
    assert max(kept) <= 2 * 4 * calibration.SAMPLES
