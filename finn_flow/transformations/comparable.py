"""Integers with an offset each, made comparable."""

from __future__ import annotations

from itertools import combinations, count

import numpy as np
from numpy.typing import NDArray

WHOLE = 1e-3
"""Offsets this near to whole numbers are whole: float32 rounding of quantised biases."""
_MOST_FRACTION_BITS = 4


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
