"""Requantisation in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def requantise(
    x: Integers, multiplier: Integers, offset: Integers, shift: int, lowest: int, highest: int, ties_to_even: bool
) -> Integers:
    """Multiply, add, shift, clip: `clip(floor((x * a + b) / 2^s), lowest, highest)`.

    If `ties_to_even`, it is 1 less before clipping where the quotient is exact and odd.

    Parameters
    ----------
    x
        Values [..., C].
    multiplier, offset
        `a` >= 0 and `b`, [C] or [1].
    shift
        `s` >= 0.
    """
    total = x * multiplier + offset
    quotient = total >> shift
    if ties_to_even:
        exact = (quotient << shift) == total
        quotient = quotient - (exact & (quotient & 1 == 1))
    return np.clip(quotient, lowest, highest)
