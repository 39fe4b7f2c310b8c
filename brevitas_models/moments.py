"""Mean and variance of many batches together, as if they were one."""

from __future__ import annotations

import torch
from torch import Tensor


class PooledMoments:
    """Mean and unbiased variance, per channel, of all values of the batches added so far.

    Batches count by their sizes, and how far their means lie apart is part of the variance. Accumulated in float64.
    Source: Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """

    def __init__(self, channels: int, device: torch.device) -> None:
        self.count = 0
        self.mean = torch.zeros(channels, dtype=torch.float64, device=device)
        self._squares = torch.zeros_like(self.mean)

    def add(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Add a batch of `count` values per channel with that mean and unbiased variance, both [C]; count >= 2."""
        total = self.count + count
        distance = mean.double() - self.mean
        self._squares += variance.double() * (count - 1) + distance.square() * (self.count * count / total)
        self.mean += distance * (count / total)
        self.count = total

    @property
    def variance(self) -> Tensor:
        """Unbiased variance [C], float64."""
        return self._squares / (self.count - 1)
