"""Networks that have seen real digits for a few steps: enough for weights and activations that look trained."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from brevitas_models.calibration import calibrate_quantisers, estimate_statistics
from brevitas_models.config import NetworkConfig
from brevitas_models.data import ImageSet
from brevitas_models.networks import ODENet, quantized_network
from finn_flow.deployment.driver.preprocessing import Preprocessing
from finn_flow.export.network import network_values


def digit_codes(images: ImageSet, config: NetworkConfig, count: int) -> np.ndarray:
    """Return the first `count` images as input codes of the network, uint8 [count, H, W, C]."""
    preprocessing = Preprocessing(image_size=tuple(config.image_size), channels=config.in_channels)
    return preprocessing.apply(images.images[:count])


def briefly_trained(config: NetworkConfig, digits: ImageSet, steps: int, batch: int = 32) -> ODENet:
    """Calibrate on real digits, take a few optimiser steps, estimate the statistics again."""
    torch.manual_seed(0)
    network = quantized_network(config)
    codes = digit_codes(digits, config, steps * batch)
    x = torch.from_numpy(network_values(codes)).split(batch)
    y = torch.from_numpy(digits.labels[: steps * batch]).split(batch)
    calibrate_quantisers(network, list(x[:2]))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.003)
    network.train()
    for images, labels in zip(x, y, strict=True):
        optimiser.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimiser.step()
    estimate_statistics(network, list(x[-2:]))
    return network
