"""Batch-norm, activation and quantiser of an accumulator as requantisation, for any statistics: NumPy only.

What an accumulator becomes is computed in float32, operation by operation as the trained network computes it, and found
again in integers (`find_thresholds`, `coefficients_of_shift`): the network with these statistics and the accelerator
agree for every accumulator.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custom_ops.requantisation.coefficients import coefficients_of_shift
from custom_ops.requantisation.steps import find_thresholds

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]

_NUDGE = 2.0**-12
"""Of the standard deviation: how far statistics are moved to such as the hardware holds exactly."""
_NUDGES = (0, 1, -1, 2, -2, 3, -3, 4, -4)
_SHARES = (1.0, 0.75, 0.5, 0.25, 0.1)
"""How much of the way to new statistics is gone where the hardware cannot hold them."""


@dataclass(frozen=True, eq=False)
class Normalisation:
    """What stands between an accumulator and the next codes.

    Parameters
    ----------
    sign
        int64 [C]: -1 where the accelerator's accumulator is the network's, negated.
    scale
        float32 [C]: value of one unit of the accumulator.
    weight, bias
        float32 [C] of the batch-norm.
    shift
        float32 [uses, C]: what is added to the offset in each use, the time bias; 0 where there is none.
    gain
        float32 [uses]: factor behind the batch-norm.
    epsilon
        float32, no axes: what is added to variances.
    reciprocal
        Int64, no axes: 1 if the factor is weight times 1 / sqrt(variance + epsilon), 0 if it is weight divided by
        the root.
    relu
        Int64, no axes: 1 if negative values become 0 before the quantiser.
    step
        float32 [C]: value of one of the next codes.
    lowest, highest
        int64 [C]: range of the accelerator's accumulator.
    codes
        Int64 [2]: least and greatest of the next codes.
    statistic
        Int64 [uses]: which of the statistics each use has.
    mean, variance
        float32 [statistics, C]: the built-in statistics of the network's accumulator in its values.
    """

    sign: Integers
    scale: Floats
    weight: Floats
    bias: Floats
    shift: Floats
    gain: Floats
    epsilon: Floats
    reciprocal: Integers
    relu: Integers
    step: Floats
    lowest: Integers
    highest: Integers
    codes: Integers
    statistic: Integers
    mean: Floats
    variance: Floats

    @property
    def uses(self) -> int:
        """How often a frame passes: once, or once per iteration."""
        return len(self.statistic)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return all fields by name."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    def affine(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Return factor and offset, float32 [uses, C], for statistics [statistics, C]."""
        return affine(self, mean[self.statistic], variance[self.statistic])

    def thresholds(self, mean: Floats, variance: Floats) -> Integers:
        """Return the least accumulator of each code but the least, int64 [uses, C, n], as the hardware counts them."""
        factor, offset = (part[:, None, :, None] for part in self.affine(mean, variance))
        sign, scale, step = (part[None, None, :, None] for part in (self.sign, self.scale, self.step))
        low, high = (int(code) for code in self.codes)

        def function(codes: Integers) -> Integers:
            values = (codes * sign).astype(np.float32) * scale * factor + offset
            if self.relu:
                values = np.maximum(values, np.float32(0))
            return np.asarray(np.round(np.clip(values / step, np.float32(low), np.float32(high))).astype(np.int64))

        levels = np.arange(low + 1, high + 1)
        lowest, highest = (part[None, None, :, None] for part in (self.lowest, self.highest))
        return find_thresholds(function, levels, lowest, highest)[:, 0]


@dataclass(frozen=True)
class Arithmetic:
    """What the hardware of a requantisation can hold.

    Parameters
    ----------
    shift, ties_to_even
        As of `Coefficients`.
    multiplier_bits, offset_bits
        Unsigned and signed.
    """

    shift: int
    ties_to_even: bool
    multiplier_bits: int
    offset_bits: int


@dataclass(frozen=True, eq=False)
class Fitted:
    """Statistics that the hardware holds exactly, and its parameters for them.

    Parameters
    ----------
    mean, variance
        float32 [statistics, C].
    multiplier, offset
        int64 [uses, C].
    limited
        How many channels of statistics could not be taken over in full.
    """

    mean: Floats
    variance: Floats
    multiplier: Integers
    offset: Integers
    limited: int


def affine(norm: Any, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return factor and offset in float32, in the order of operations of the network; statistics are [uses, C].

    `norm` has `weight`, `bias`, `shift`, `gain`, `epsilon` and `reciprocal` as a `Normalisation`.
    """
    root = np.sqrt(variance + np.float32(norm.epsilon))
    factor = norm.weight * (np.float32(1) / root) if norm.reciprocal else norm.weight / root
    offset = norm.bias - mean * factor + norm.shift
    gain = norm.gain[:, None]
    return np.asarray(factor * gain), np.asarray(offset * gain)


def fit(norm: Normalisation, hardware: Arithmetic, mean: Floats, variance: Floats) -> Fitted:
    """Return the hardware's parameters for statistics [statistics, C], or for the nearest that it can hold.

    Where no multiplier and offset of the hardware give the network's codes for every accumulator, the statistics of
    that channel are moved by some thousandths of their standard deviation, and if that does not help, only a part of
    the way from the built-in ones to them is gone; these themselves always have parameters.

    Parameters
    ----------
    mean, variance
        Wanted, float32.
    """
    target = mean.astype(np.float32), variance.astype(np.float32)
    chosen = norm.mean.copy(), norm.variance.copy()
    open_channels = np.ones(norm.mean.shape, dtype=bool)
    limited = 0
    for share in _SHARES:
        for nudge in _NUDGES:
            part = np.float32(share)
            candidate_variance = norm.variance + part * (target[1] - norm.variance)
            candidate_variance = (candidate_variance * np.float32(1 + nudge * _NUDGE)).astype(np.float32)
            candidate_mean = norm.mean + part * (target[0] - norm.mean)
            candidate_mean = (candidate_mean + np.float32(nudge * _NUDGE) * np.sqrt(candidate_variance)).astype(
                np.float32
            )
            tried = (
                np.where(open_channels, candidate_mean, chosen[0]),
                np.where(open_channels, candidate_variance, chosen[1]),
            )
            multiplier, offset, solved = _parameters(norm, hardware, *tried)
            works = np.ones_like(open_channels)
            np.logical_and.at(works, norm.statistic, solved)
            taken = open_channels & works
            chosen = np.where(taken, tried[0], chosen[0]), np.where(taken, tried[1], chosen[1])
            limited += int(taken.sum()) if share < 1 else 0
            open_channels &= ~works
            if not open_channels.any():
                return Fitted(*chosen, multiplier, offset, limited)
    limited += int(open_channels.sum())
    multiplier, offset, solved = _parameters(norm, hardware, *chosen)
    assert solved.all(), "the built-in statistics always have parameters"
    return Fitted(*chosen, multiplier, offset, limited)


def _parameters(
    norm: Normalisation, hardware: Arithmetic, mean: Floats, variance: Floats
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Return multipliers and offsets, [uses, C], and where they are right and fit."""
    shape = norm.uses, len(norm.weight)
    lowest, highest = (np.broadcast_to(bound, shape) for bound in (norm.lowest, norm.highest))
    multiplier, offset, solved = coefficients_of_shift(
        norm.thresholds(mean, variance), lowest, highest, int(norm.codes[0]), hardware.shift, hardware.ties_to_even
    )
    half = 1 << (hardware.offset_bits - 1)
    solved &= (multiplier < 1 << hardware.multiplier_bits) & (offset >= -half) & (offset < half)
    return multiplier, offset, solved
