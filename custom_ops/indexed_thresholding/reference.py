"""Thresholding with a threshold set per solver iteration, in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType

Integers = NDArray[np.int64]


def indexed_thresholding(x: Integers, thresholds: Integers, index: int, bias: int) -> Integers:
    """Count the thresholds of set `index` that are not larger than the value: `bias + sum over i of (x >= T_i)`.

    Parameters
    ----------
    x
        Values [..., C].
    thresholds
        [iterations, C or 1, n], ascending on the last axis.
    index
        Iteration number.
    bias
        Value of the output below the first threshold.
    """
    levels = thresholds[index]
    if len(levels) == 1:
        return bias + np.searchsorted(levels[0], x, side="right").astype(np.int64)
    counts = [np.searchsorted(level, x[..., c], side="right") for c, level in enumerate(levels)]
    return bias + np.stack(counts, axis=-1).astype(np.int64)


def position_thresholding(x: Integers, thresholds: Integers, positions: Integers, bias: int) -> Integers:
    """Threshold each pixel with the set of its kind.

    Parameters
    ----------
    x
        Values [N, ..., C] of frames of `len(positions)` pixels.
    thresholds
        [kinds, C or 1, n], ascending on the last axis.
    positions
        The kind of each pixel, row by row.
    bias
        Value of the output below the first threshold.
    """
    pixels = x.reshape(len(x), len(positions), x.shape[-1])
    found = np.empty_like(pixels)
    for kind in range(len(thresholds)):
        at = positions == kind
        found[:, at] = indexed_thresholding(pixels[:, at], thresholds, kind, bias)
    return found.reshape(x.shape)


def clip_thresholds(thresholds: Integers, datatype: BaseDataType) -> Integers:
    """Bring thresholds into the range [min, max + 1] of the inputs' type without changing any result.

    Every input is at or above `min`, and none reaches `max + 1`, so thresholds outside act as those two do.
    """
    return np.clip(thresholds, int(datatype.min()), int(datatype.max()) + 1)
