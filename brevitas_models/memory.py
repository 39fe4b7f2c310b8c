"""How many images a network takes at once, so that memory does not grow with the size of the images."""

from __future__ import annotations

from brevitas_models.config import NetworkConfig

VALUES = 2**24
"""Values in the largest activation of a batch: 64 MiB in float32, of which a forward pass holds a handful."""


def images_at_once(config: NetworkConfig, at_most: int) -> int:
    """Return how many images, from 1 to `at_most`, may run at once: the largest activation stays within `VALUES`."""
    sizes = zip(config.channels, config.feature_map_sizes(), strict=True)
    largest = max(channels * height * width for channels, (height, width) in sizes)
    return max(1, min(at_most, VALUES // largest))
