"""Multiplier, offset and shift that give the codes of a table of thresholds: integers in, integers out, NumPy only.

A row of thresholds T_1 <= ... <= T_n gives a value x the code `bias + number of i with x >= T_i`. Requantisation
gives it `clip(q(a * x + b), bias, bias + n)` with `q(v) = floor(v / 2^s)`, or 1 less where v / 2^s is an odd
integer if `Coefficients.ties_to_even`. Both rise with x where a >= 0, so they agree for every x from `lowest` to
`highest` if they agree at both sides of every threshold, and at the ends where thresholds lie outside; with
r_i = bias + i:

    q(a * max(T_i, lowest) + b) >= r_i          for every i with T_i <= highest
    q(a * min(T_i - 1, highest) + b) < r_i      for every i with T_i > lowest

For each a these bound b from below and from above. The width of that interval is a concave function of a; its greatest
value is found by bisection, exactly, in integers.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

MOST_SHIFT = 36
MOST_MULTIPLIER = 2**26 - 1
"""Limits of what is tried: a DSP48E2 multiplies by up to 26 bits and a sign. Values have up to 25 bits."""

_FAR = np.int64(2**62)


@dataclass(frozen=True)
class Coefficients:
    """Multipliers and offsets of all rows, and the shift that they share.

    Parameters
    ----------
    multiplier
        A, one per row, 0 or more.
    offset
        B, one per row.
    shift
        S, 0 to `MOST_SHIFT`.
    ties_to_even
        What a quotient with a remainder of exactly 0 becomes: itself, or if it is odd the even number below. With an
        offset that contains 2^(s-1) this is rounding half to even.
    """

    multiplier: Integers
    offset: Integers
    shift: int
    ties_to_even: bool


def find_coefficients(thresholds: Integers, lowest: Integers, highest: Integers, bias: int) -> Coefficients | None:
    """Return coefficients of the smallest shift that give the same code as the thresholds for every value.

    Parameters
    ----------
    thresholds
        [..., n], ascending on the last axis; all leading axes are rows.
    lowest, highest
        Least and greatest value of each row, [...]; `lowest <= highest`.
    bias
        Code below the first threshold.

    Returns
    -------
    Coefficients | None
        Coefficients of the shape of `lowest`, or None if some row has none. Ties go to even only where they must.
    """
    rows = thresholds.reshape(-1, thresholds.shape[-1]).astype(np.int64)
    low = np.broadcast_to(lowest, thresholds.shape[:-1]).reshape(-1).astype(np.int64)
    high = np.broadcast_to(highest, thresholds.shape[:-1]).reshape(-1).astype(np.int64)
    for ties_to_even in (False, True):
        found = _smallest_shift(_Bounds(rows, low, high, bias, ties_to_even))
        if found is not None:
            multiplier, offset, shift = found
            shape = thresholds.shape[:-1]
            return Coefficients(multiplier.reshape(shape), offset.reshape(shape), shift, ties_to_even)
    return None


def coefficients_of_shift(
    thresholds: Integers, lowest: Integers, highest: Integers, bias: int, shift: int, ties_to_even: bool
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Return multipliers and offsets of a given shift and rule for ties, and which rows have any.

    Parameters are those of `find_coefficients`; all results have the shape of `lowest`.
    """
    shape = thresholds.shape[:-1]
    rows = thresholds.reshape(-1, thresholds.shape[-1]).astype(np.int64)
    low, high = (np.broadcast_to(bound, shape).reshape(-1).astype(np.int64) for bound in (lowest, highest))
    bounds = _Bounds(rows, low, high, bias, ties_to_even)
    multiplier = _widest(bounds, shift)
    least, greatest = bounds.offsets(multiplier, shift)
    offset = (least + greatest) // 2
    return multiplier.reshape(shape), offset.reshape(shape), (least <= greatest).reshape(shape)


class _Bounds:
    """The interval of offsets that a multiplier leaves, per row."""

    def __init__(self, rows: Integers, lowest: Integers, highest: Integers, bias: int, ties_to_even: bool) -> None:
        levels = bias + 1 + np.arange(rows.shape[1])
        # A quotient of exactly an odd level counts as the level below.
        self.excess = (levels % 2 if ties_to_even else np.zeros_like(levels))[None, :]
        self.levels = levels[None, :]
        self.reached_at = np.maximum(rows, lowest[:, None])
        self.missed_at = np.minimum(rows - 1, highest[:, None])
        self.can_reach = rows <= highest[:, None]
        self.can_miss = rows > lowest[:, None]
        # From the value that reaches the first level to the last one that misses the last level.
        self.span = np.maximum(self.missed_at.max(axis=1) - self.reached_at.min(axis=1), 1)

    def of_rows(self, chosen: NDArray[np.bool_]) -> _Bounds:
        """Return the bounds of some rows."""
        found = copy(self)
        for name in ("reached_at", "missed_at", "can_reach", "can_miss", "span"):
            setattr(found, name, getattr(self, name)[chosen])
        return found

    def steepest(self, shift: int) -> Integers:
        """No greater multiplier of a row leaves an offset: over its span it would rise by more than all levels."""
        return np.minimum((np.int64(self.levels.shape[1] + 1) << shift) // self.span + 1, MOST_MULTIPLIER)

    def offsets(self, multiplier: Integers, shift: int) -> tuple[Integers, Integers]:
        """Least and greatest offset of each row; the least is the greater one where there is none."""
        scaled = (self.levels << shift) + self.excess
        least = np.where(self.can_reach, scaled - multiplier[:, None] * self.reached_at, -_FAR).max(axis=1)
        greatest = np.where(self.can_miss, scaled - 1 - multiplier[:, None] * self.missed_at, _FAR).min(axis=1)
        # A row with a constant code has one bound only.
        return np.where(least == -_FAR, greatest, least), np.where(greatest == _FAR, least, greatest)


def _smallest_shift(bounds: _Bounds) -> tuple[Integers, Integers, int] | None:
    """Doubling multiplier and offset keeps every code, so a row that has a solution stays solved at greater shifts."""
    unsolved = bounds
    for shift in range(MOST_SHIFT + 1):
        multiplier = _widest(unsolved, shift)
        failed = _width(unsolved, multiplier, shift) < 0
        if not failed.any():
            multiplier = _widest(bounds, shift)
            least, greatest = bounds.offsets(multiplier, shift)
            return (multiplier, (least + greatest) // 2, shift) if np.all(least <= greatest) else None
        unsolved = unsolved.of_rows(failed)
    return None


def _widest(bounds: _Bounds, shift: int) -> Integers:
    """Return the multiplier of each row that leaves the widest interval of offsets: bisection of a concave function."""
    low, high = np.zeros_like(bounds.span), bounds.steepest(shift)
    while np.any(low < high):
        middle = (low + high) // 2
        rising = _width(bounds, middle + 1, shift) > _width(bounds, middle, shift)
        low, high = np.where(rising & (low < high), middle + 1, low), np.where(rising, high, middle)
    return low


def _width(bounds: _Bounds, multiplier: Integers, shift: int) -> Integers:
    least, greatest = bounds.offsets(multiplier, shift)
    return greatest - least
