"""Networks with random weights that behave like trained ones: for tests and for studies of the hardware alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.calibration import calibrate_quantisers, estimate_statistics
from brevitas_models.config import NetworkConfig
from brevitas_models.memory import images_at_once
from brevitas_models.networks import ODENet, quantized_network
from finn_flow.deployment.driver.preprocessing import INPUT_SCALE, Uint8Array

CALIBRATION_IMAGES, FEWEST_IMAGES, CALIBRATION_BATCH = 64, 8, 32


def smooth_images(config: NetworkConfig, count: int, seed: int) -> Uint8Array:
    """Random blobs that use the whole range of codes: uint8 [count, H, W, C], the network's input shape."""
    generator = torch.Generator().manual_seed(seed)
    height, width = config.image_size
    coarse = torch.randn(count, config.in_channels, -(-height // 4) + 1, -(-width // 4) + 1, generator=generator)
    smooth = nn.functional.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=True)
    codes = (128 + 80 * smooth).clamp(0, 255).round().to(torch.uint8)
    return np.ascontiguousarray(codes.permute(0, 2, 3, 1).numpy())


@contextmanager
def _one_thread() -> Iterator[None]:
    """Work in one thread: in several, sums of floats differ with the number of processors."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@_one_thread()
def untrained_network(config: NetworkConfig, seed: int) -> ODENet:
    """Return a quantised network, weights by `seed`, scales and statistics calibrated on `smooth_images`.

    Scale, shift and time bias of the batch-norms are random too, and the classifier takes no notice of what all images
    have in common, so that nothing is degenerate and the predicted classes differ. The same seed gives the same network
    whatever the number of processors.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = quantized_network(config)
        for module in network.modules():
            if isinstance(module, FieldBatchNorm):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.3)
                if module.time_bias is not None:
                    nn.init.normal_(module.time_bias, std=0.3)
    count = max(FEWEST_IMAGES, images_at_once(config, CALIBRATION_IMAGES))  # large images have more pixels each
    images = torch.from_numpy(smooth_images(config, count, seed)).permute(0, 3, 1, 2)
    batches = list((images.float() * INPUT_SCALE).split(images_at_once(config, CALIBRATION_BATCH)))
    calibrate_quantisers(network, batches)
    estimate_statistics(network, batches)
    with torch.no_grad():
        common = nn.functional.normalize(torch.cat([network.features(batch) for batch in batches]).mean(dim=0), dim=0)
        weight = network.get_parameter("classifier.weight")
        weight.sub_(torch.outer(weight @ common, common))
    return network
