"""Batch-norm statistics of pictures, and the accelerator's parameters for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from custom_ops.requantisation.normalisation import Fitted, fit

from .network import Array, Integers, Network, Parameters

Floats = npt.NDArray[np.float32]
Statistics = dict[str, tuple[Floats, Floats]]
"""Mean and variance, float32 [statistics, channels] each, by the name of the normalisation."""

PRIOR_IMAGES = 16
"""The old statistics count as much as those of so many pictures."""


def share_of(images: int) -> float:
    """Return the share of the new statistics in the mix: N / (N + 16) for N pictures.

    Source: Schneider et al., "Improving robustness against common corruptions by covariate shift adaptation", 2020.
    """
    return images / (images + PRIOR_IMAGES)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Statistics as the accelerator holds them, and its parameters.

    Parameters
    ----------
    limited
        Channels whose statistics the hardware could take over in part only.
    labels, values
        Best classes and what they are chosen from, of the pictures, with these parameters.
    """

    statistics: Statistics
    parameters: Parameters
    limited: int
    labels: Integers
    values: Integers


def parameters_of(network: Network, statistics: Statistics) -> tuple[Statistics, Parameters, int]:
    """Return the hardware's parameters for statistics, and these as it can hold them; see `fit`."""
    fitted = {
        name: fit(node.normalisation, node.arithmetic, *statistics[name]) for name, node in network.writable.items()
    }
    return (
        {name: (part.mean, part.variance) for name, part in fitted.items()},
        {name: (part.multiplier, part.offset) for name, part in fitted.items()},
        sum(part.limited for part in fitted.values()),
    )


def estimate(
    network: Network,
    codes: npt.NDArray[np.integer[Any]],
    share: float,
    old: Statistics,
    progress: Callable[[int, int], None] | None = None,
) -> Estimate:
    """Estimate statistics layer by layer: each layer sees what those before it make of the pictures with new ones.

    Parameters
    ----------
    codes
        Pictures as the network's input, [N, H, W, C].
    share
        Of the new statistics in the mix with `old`, 0 to 1.
    old
        Statistics to start from.
    progress
        Called with the number of batch-norms done and that of all.
    """
    found: dict[str, _Running] = {name: _Running(network, name, share, old[name]) for name in network.writable}
    total = sum(node.normalisation.uses for node in network.writable.values())
    done = 0

    def choose(name: str, use: int, accumulator: Array) -> tuple[Integers, Integers]:
        nonlocal done
        multiplier, offset = found[name].add(use, accumulator)
        done += 1
        if progress is not None:
            progress(done, total)
        return multiplier, offset

    labels, values = network.walk(codes, choose)
    # A batch-norm whose statistics are shared by its uses has seen all of them only now.
    final = {name: running.fitted for name, running in found.items()}
    parameters = {name: (part.multiplier, part.offset) for name, part in final.items()}
    if any(running.is_shared for running in found.values()):
        labels, values = network.run(codes, parameters)
    statistics = {name: (part.mean, part.variance) for name, part in final.items()}
    return Estimate(statistics, parameters, sum(part.limited for part in final.values()), labels, values)


class _Running:
    """The statistics of one batch-norm while its uses come by."""

    def __init__(self, network: Network, name: str, share: float, old: tuple[Floats, Floats]) -> None:
        node = network.writable[name]
        self._norm, self._arithmetic, self._share, self._old = node.normalisation, node.arithmetic, share, old
        count = len(self._norm.mean)
        self._counts = np.zeros(count, np.int64)
        channels = self._norm.mean.shape[1]
        self._sums, self._squares = np.zeros((count, channels), np.int64), np.zeros((count, channels), np.int64)
        self.is_shared = count < self._norm.uses
        self.fitted: Fitted

    def add(self, use: int, accumulator: Array) -> tuple[Integers, Integers]:
        """Add the accumulators [N, H, W, C] of a use; returns the parameters for it."""
        at = self._norm.statistic[use]
        flat = accumulator.reshape(-1, accumulator.shape[-1])
        self._counts[at] += len(flat)
        self._sums[at] += flat.sum(axis=0, dtype=np.int64)
        self._squares[at] += _squares(flat)
        self.fitted = fit(self._norm, self._arithmetic, *self._mixed())
        return self.fitted.multiplier[use], self.fitted.offset[use]

    def _mixed(self) -> tuple[Floats, Floats]:
        """Mean and unbiased variance in the network's values, mixed with the old ones; those where none is known."""
        mean, variance = self._old[0].copy(), self._old[1].copy()
        for at in np.flatnonzero(self._counts > 1):
            count = int(self._counts[at])
            sums, squares = self._sums[at].astype(object), self._squares[at].astype(object)
            deviation = squares * count - sums * sums  # exact: count² times the variance
            scale = self._norm.scale.astype(np.float64) * self._norm.sign
            new_mean = (sums / count).astype(np.float64) * scale
            new_variance = (deviation / (count * (count - 1))).astype(np.float64) * scale**2
            part = self._share
            mean[at] = ((1 - part) * mean[at] + part * new_mean).astype(np.float32)
            variance[at] = ((1 - part) * variance[at] + part * new_variance).astype(np.float32)
        return mean, variance


def _squares(flat: Array) -> Integers:
    """Return the sums of squares per channel, exact."""
    total = np.zeros(flat.shape[1], np.int64)
    for start in range(0, len(flat), 1 << 18):
        part = flat[start : start + (1 << 18)].astype(np.int64)
        total += np.einsum("nc,nc->c", part, part)
    return total


def built_in(network: Network) -> Statistics:
    """Return the statistics that the network was trained with."""
    return {name: (node.normalisation.mean, node.normalisation.variance) for name, node in network.writable.items()}
