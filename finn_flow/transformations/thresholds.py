"""Exact integer steps of the float function that stands between integer codes and a quantiser."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custom_ops.requantisation.steps import CodeFunction, Integers, find_thresholds

_CHUNK = 1 << 22
"""Codes that are evaluated at once where all are."""


@dataclass(frozen=True)
class Steps:
    """A function of codes as steps: the number of `thresholds` at most the code chooses a value.

    Attributes
    ----------
    thresholds
        [iterations, positions, channels, n], ascending; one that is never reached is the highest code + 1.
    table
        Values [.., channels, n + 1] for 0 to n thresholds reached, or None where the value is the lowest code plus that
        number.
    """

    thresholds: Integers
    table: Integers | None = None


def find_falling_thresholds(function: CodeFunction, levels: Integers, lowest: Integers, highest: Integers) -> Integers:
    """Codes at which a non-increasing function leaves each of `levels` (descending) behind, ascending."""
    mirrored = find_thresholds(lambda codes: function(-codes), levels, -highest, -lowest)
    return 1 - mirrored[..., ::-1]


def falls(function: CodeFunction, lowest: Integers, highest: Integers) -> NDArray[np.bool_]:
    """Whether a monotone function decreases from `lowest` to `highest`: [iterations, positions, channels]."""
    falling: NDArray[np.bool_] = function(highest) < function(lowest)
    return falling[..., 0]


def steps_of_monotone(
    function: CodeFunction, bounds: tuple[int, int], lowest: Integers, highest: Integers, falling: NDArray[np.bool_]
) -> Steps:
    """Find the steps of a function that rises or, where `falling` [channels], falls; its values are within `bounds`."""
    levels = np.arange(bounds[0] + 1, bounds[1] + 1)
    rising = find_thresholds(function, levels, lowest, highest)
    if not falling.any():
        return Steps(rising)
    down = find_falling_thresholds(function, levels, lowest, highest)
    flags = falling.reshape(1, 1, -1, 1)
    counted = np.arange(len(levels) + 1)
    return Steps(np.where(flags, down, rising), np.where(flags, bounds[1] - counted, bounds[0] + counted))


def steps_of_any(function: CodeFunction, bounds: tuple[int, int], lowest: int, highest: int, channels: int) -> Steps:
    """Find the steps of a function of any form, from all of its values; exact, and slow where there are many codes."""
    values = all_values(function, lowest, highest, channels)
    levels = np.arange(bounds[0] + 1, bounds[1] + 1)
    if np.all(np.diff(values, axis=-1) >= 0):
        reached = np.apply_along_axis(np.searchsorted, -1, values, levels)
        return Steps(reached + lowest)
    edges = np.diff(values, axis=-1) != 0
    most = max(1, int(edges.sum(axis=-1).max()))  # a constant function has one threshold that is never reached
    thresholds = np.full((*values.shape[:-1], most), highest + 1, dtype=np.int64)
    table = np.repeat(values[..., -1:], most + 1, axis=-1)
    for place in np.ndindex(values.shape[:-1]):
        at = np.flatnonzero(edges[place])
        thresholds[place][: at.size] = lowest + at + 1
        table[place][: at.size] = values[place][at]
    return Steps(thresholds, table)


def all_values(function: CodeFunction, lowest: int, highest: int, channels: int) -> Integers:
    """Return the function's value for each code: [iterations, positions, channels, codes]."""
    size = max(1, _CHUNK // max(channels, 1))
    parts = []
    for start in range(lowest, highest + 1, size):
        codes = np.arange(start, min(start + size, highest + 1)).reshape(1, 1, 1, -1)
        parts.append(function(np.broadcast_to(codes, (1, 1, channels, codes.size))))
    return np.concatenate(parts, axis=-1)
