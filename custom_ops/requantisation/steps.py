"""Thresholds of a rising function of integers, by bisection: NumPy only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
CodeFunction = Callable[[Integers], Integers]
"""Maps codes [iterations or 1, positions or 1, channels or 1, n] to the quantiser's codes, element by element."""


def find_thresholds(function: CodeFunction, levels: Integers, lowest: Integers, highest: Integers) -> Integers:
    """Smallest codes at which a non-decreasing function reaches each of `levels`, by bisection.

    Parameters
    ----------
    function
        See `CodeFunction`; whatever float32 arithmetic is in it, rounding ties included, is what counts.
    levels
        [n], ascending.
    lowest, highest
        Bounds of the codes, [1, 1, channels or 1, 1].

    Returns
    -------
    Integers
        Thresholds [iterations, positions, channels, n]; a level that is never reached has `highest + 1`.
    """
    low, high = np.broadcast_arrays(lowest, highest + 1)
    shape = (*np.broadcast_shapes(low.shape, function(low).shape)[:-1], len(levels))
    low, high = (np.broadcast_to(bound, shape).copy() for bound in (low, high))
    while np.any(low < high):
        middle = (low + high) // 2
        reached = function(middle) >= levels
        high = np.where(reached & (low < high), middle, high)
        low = np.where(~reached & (low < high), middle + 1, low)
    return low
