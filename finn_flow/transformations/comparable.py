"""Integers with a scale and an offset each, made comparable."""

from __future__ import annotations

import math
from itertools import combinations, count

import numpy as np
from numpy.typing import NDArray

WHOLE = 1e-3
"""Offsets this near to whole numbers are whole: float32 rounding of quantised biases."""
_MOST_FRACTION_BITS = 4
_MANTISSA_BITS = 24
"""Significant bits of a factor: those of float32, in which the model itself computes."""
COMPARABLE_BITS = 47
"""Widest comparable integer, without its sign."""
Integers = NDArray[np.int64]


def comparable_integers(
    scales: NDArray[np.float64], offsets: NDArray[np.float64], reach: int
) -> tuple[Integers, Integers] | None:
    """Return factors f and whole numbers b with which `n · f + b` compares as `n · scales + offsets` does.

    For integers n from -`reach` to `reach`. Exactly so where the scales are equal or have few bits, as powers of two;
    else the factors are as precise as float32. None where that takes more than `COMPARABLE_BITS`.
    """
    magnitude = float(np.abs(scales).max())
    if np.unique(scales).size == 1:
        bits, whole = fixed_point_offsets(np.ravel(offsets) / magnitude)
        return np.full(whole.shape, int(np.sign(scales.flat[0])) << bits), whole
    scales, offsets = np.broadcast_arrays(scales, offsets)
    smallest = math.frexp(float(np.abs(scales).min()))[1]
    exact = next((k for k in range(-smallest, -smallest + _MANTISSA_BITS) if _whole(scales, offsets, k)), None)
    fraction_bits = _MANTISSA_BITS + 1 - smallest if exact is None else exact
    factors, whole = np.rint(scales * 2.0**fraction_bits), np.rint(offsets * 2.0**fraction_bits)
    if float((np.abs(factors) * reach + np.abs(whole)).max()) >= 2.0**COMPARABLE_BITS:
        return None
    return factors.astype(np.int64), whole.astype(np.int64)


def _whole(scales: NDArray[np.float64], offsets: NDArray[np.float64], fraction_bits: int) -> bool:
    return all(bool(np.all(part * 2.0**fraction_bits % 1 == 0)) for part in (scales, offsets))


def fixed_point_offsets(offsets: NDArray[np.float64]) -> tuple[int, NDArray[np.int64]]:
    """Return fraction bits k and whole numbers b with which integers compare as with their `offsets`.

    `n_i · 2^k + b_i < n_j · 2^k + b_j` exactly if `n_i + offsets_i < n_j + offsets_j`, for all integers n: it is
    the order of the fractions that counts. Equal stays equal.
    """
    nearest = np.rint(offsets)
    if np.all(np.abs(offsets - nearest) < WHOLE):
        return 0, nearest.astype(np.int64)
    for bits in range(1, _MOST_FRACTION_BITS + 1):
        rounded = np.rint(offsets * 2**bits).astype(np.int64)
        if _same_order(offsets, rounded, bits):
            return bits, rounded
    whole = np.floor(offsets)
    fractions, ranks = np.unique(offsets - whole, return_inverse=True)
    bits = next(n for n in count() if 2**n >= fractions.size)
    return bits, (whole.astype(np.int64) << bits) + ranks


def _same_order(offsets: NDArray[np.float64], rounded: NDArray[np.int64], bits: int) -> bool:
    def place(difference: float) -> tuple[float, bool]:
        return np.floor(difference), bool(float(difference).is_integer())

    return all(
        place(offsets[i] - offsets[j]) == place((rounded[i] - rounded[j]) / 2**bits)
        for i, j in combinations(range(len(offsets)), 2)
    )
