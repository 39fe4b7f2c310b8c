"""A function of two codes as a rounded and saturated sum of a number for each: search, and proof for every pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

_FREE = np.int64(1) << 40
"""A bound that no sum reaches."""
MOST_SUM_BITS = 24
"""Sums are float32 tensors of integers in the graph, exact up to here."""
MOST_PARTS = 64
"""Largest denominator q of steps that are multiples of 1/q of each other."""
ROUNDING_ERROR = 1e-6
"""Relative error of a few float32 operations, with a margin."""
FRACTION_BITS = (1, 2, 4, 6, 8, 10, 12)
"""Fractions that the search tries where both operands need a table."""


@dataclass(frozen=True)
class SumIntervals:
    """Which sums give the right code: `lowest[a, b] <= x[a] + y[b] <= highest[a, b]`, in units of 2^-fraction_bits.

    A sum is rounded half to even and saturated, so next to odd codes the ties are not allowed, and at the ends of the
    range anything beyond is.
    """

    lowest: Integers
    highest: Integers

    @staticmethod
    def of(codes: Integers, bounds: tuple[int, int], fraction_bits: int) -> SumIntervals:
        """Intervals for the right `codes` [..., a, b], all within `bounds`."""
        centre = codes << fraction_bits
        reach = (1 << fraction_bits) >> 1
        slack = reach - ((codes & 1) if fraction_bits else 0)
        return SumIntervals(
            np.where(codes == bounds[0], -_FREE, centre - slack), np.where(codes == bounds[1], _FREE, centre + slack)
        )

    def second(self, first: Integers) -> Integers | None:
        """Return the second operand's table [..., b], as near to 0 as can be, for `first` [..., a]; or None."""
        low = (self.lowest - first[..., :, None]).max(axis=-2)
        high = (self.highest - first[..., :, None]).min(axis=-2)
        return None if np.any(low > high) else np.clip(0, low, high)

    def hold(self, first: Integers, second: Integers) -> bool:
        """Whether two tables give the right code for every pair."""
        total = first[..., :, None] + second[..., None, :]
        return bool(np.all((self.lowest <= total) & (total <= self.highest)))

    def both(self, first: Integers, second: Integers) -> tuple[Integers, Integers] | None:
        """Two tables that give the right code for every pair, found from a first guess; None if there are none.

        These are difference constraints (first - (-second)), which Bellman and Ford's relaxation solves exactly: it
        ends within as many rounds as there are variables, or the constraints contradict each other.
        """
        x, minus_y = first.copy(), -second
        for _ in range(x.shape[-1] + minus_y.shape[-1] + 1):
            lower_x = np.minimum(x, (minus_y[..., None, :] + self.highest).min(axis=-1))
            lower_y = np.minimum(minus_y, (lower_x[..., :, None] - self.lowest).min(axis=-2))
            if np.array_equal(lower_x, x) and np.array_equal(lower_y, minus_y):
                return x, -minus_y
            x, minus_y = lower_x, lower_y
        return None


def fixed_point_tables(first: NDArray[np.float64], second: NDArray[np.float64]) -> Iterator[tuple[Integers, Integers]]:
    """Tables of fixed-point numbers for two lists of numbers, in units of a quantiser's step, from coarse to fine.

    Where all numbers lie next to multiples of 1/q, sums that should be ties are decided by the float32 rounding of the
    numbers, far smaller than 1/q. What matters there is the order, so the rounding errors are enlarged.
    """
    largest = max(np.abs(first).max(), np.abs(second).max(), 1e-9)
    for q in range(1, MOST_PARTS + 1):
        near = [np.rint(numbers * q) for numbers in (first, second)]
        errors = [numbers * q - multiples for numbers, multiples in zip((first, second), near, strict=True)]
        reach = sum(np.abs(error).max() for error in errors)
        if reach > ROUNDING_ERROR * q * largest:
            continue
        yield near[0].astype(np.int64), near[1].astype(np.int64)
        for bits in range(4, MOST_SUM_BITS - 2 - int(np.log2(largest * q) + 1), 2):
            enlarged = 0.25 / max(reach, 1e-30)
            tables = [np.rint((n + e * enlarged) * 2.0**bits) for n, e in zip(near, errors, strict=True)]
            yield tables[0].astype(np.int64), tables[1].astype(np.int64)
    for bits in range(0, MOST_SUM_BITS - 2 - int(np.log2(largest) + 1), 2):
        yield np.rint(first * 2.0**bits).astype(np.int64), np.rint(second * 2.0**bits).astype(np.int64)


def thresholds_on_sums(codes: Integers, sums: Integers, bounds: tuple[int, int]) -> Integers | None:
    """Thresholds on `sums` [a, b] that give the right `codes` [..., a, b] for every pair; None if there are none.

    Returns
    -------
    Integers | None
        [..., n], n = highest - lowest of `bounds`; a level that is never reached has the largest sum + 1.
    """
    flat = np.argsort(sums, axis=None, kind="stable")
    ordered = sums.ravel()[flat]
    equal = np.diff(ordered) == 0
    levels = np.arange(bounds[0] + 1, bounds[1] + 1)
    above = np.append(ordered, ordered[-1] + 1)
    found = np.empty((*codes.shape[:-2], levels.size), dtype=np.int64)
    for place in np.ndindex(codes.shape[:-2]):
        values = codes[place].ravel()[flat]
        steps = np.diff(values)
        if np.any(steps < 0) or np.any(steps[equal]):
            return None
        found[place] = above[np.searchsorted(values, levels)]
    return found
