"""Coefficients of requantisation against the thresholds that they stand for, value by value."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from custom_ops.requantisation.coefficients import MOST_MULTIPLIER, find_coefficients
from custom_ops.requantisation.reference import requantise


def codes(thresholds: list[int], x: np.ndarray, bias: int) -> np.ndarray:
    return bias + np.sum(x[:, None] >= np.array(thresholds), axis=1)


def thresholds_of(slope: Fraction, offset: Fraction, bias: int, steps: int, ties_to_even: bool) -> list[int]:
    """Least integers at which the rounded line reaches each level; half is rounded up, or to the even neighbour."""
    found = []
    for level in range(bias + 1, bias + steps + 1):
        exact = (level - Fraction(1, 2) - offset) / slope
        reached = -(-exact.numerator // exact.denominator)
        found.append(reached + int(ties_to_even and level % 2 == 1 and reached == exact))
    return found


@given(
    st.fractions(Fraction(1, 400), Fraction(2), max_denominator=1000),
    st.fractions(-20, 20, max_denominator=1000),
    st.integers(-8, 2),
    st.sampled_from([1, 3, 14, 15]),
    st.booleans(),
    st.integers(-900, 0),
    st.integers(0, 900),
)
def test_every_rounded_line_is_found(
    slope: Fraction, offset: Fraction, bias: int, steps: int, ties_to_even: bool, lowest: int, highest: int
) -> None:
    if ties_to_even:
        # Three ties in a row let no other slope through than the line's own, and multipliers are dyadic.
        slope = Fraction(max(1, round(slope * 256)), 256)
    row = thresholds_of(slope, offset, bias, steps, ties_to_even)
    found = find_coefficients(np.array([row]), np.array([lowest]), np.array([highest]), bias)
    assert found is not None
    x = np.arange(lowest, highest + 1)
    requantised = requantise(x, found.multiplier, found.offset, found.shift, bias, bias + steps, found.ties_to_even)
    np.testing.assert_array_equal(requantised, codes(row, x, bias))
    assert 0 <= found.multiplier[0] <= MOST_MULTIPLIER


@given(st.lists(st.integers(-12, 12), min_size=1, max_size=4), st.integers(-2, 1))
def test_none_is_found_only_where_there_is_none(steps: list[int], bias: int) -> None:
    """Against all multipliers and offsets of a shift: none will do if a greater shift, or none, is found."""
    row, x, shift = sorted(steps), np.arange(-10, 11), 4
    found = find_coefficients(np.array([row]), np.array([-10]), np.array([10]), bias)
    if found is not None:
        args = (found.multiplier, found.offset, found.shift, bias, bias + len(row), found.ties_to_even)
        np.testing.assert_array_equal(requantise(x, *args), codes(row, x, bias))
        assume(found.shift > shift)
    wanted = codes(row, x, bias)
    multiplier, offset = np.meshgrid(np.arange(0, (len(row) + 1) << shift), np.arange(-1500, 1500))
    for ties_to_even in (False, True)[: 1 if found is not None and not found.ties_to_even else 2]:
        results = requantise(x[:, None, None], multiplier, offset, shift, bias, bias + len(row), ties_to_even)
        assert not np.any(np.all(results == wanted[:, None, None], axis=0))


def test_rows_share_the_smallest_shift_that_does_for_all() -> None:
    rows = np.array([[[4, 12, 20]], [[3, 7, 11]], [[1, 2, 3]]])
    found = find_coefficients(rows, np.full((3, 1), -50), np.full((3, 1), 50), 0)
    assert found is not None
    assert (found.shift, found.ties_to_even) == (3, False)
    assert found.multiplier.tolist() == [[1], [2], [8]]
    assert found.offset.tolist() == [[4], [2], [3]]


def test_half_to_even_needs_ties() -> None:
    """Codes of x / 4 rounded half to even."""
    x = np.arange(-20, 21)
    wanted = np.clip(np.rint(x / 4), -3, 3).astype(int)
    row = [int(x[np.argmax(wanted >= level)]) for level in range(-2, 4)]
    found = find_coefficients(np.array([row]), x[:1], x[-1:], -3)
    assert found is not None
    assert (found.multiplier.tolist(), found.offset.tolist(), found.shift, found.ties_to_even) == ([1], [2], 2, True)


def test_thresholds_beyond_the_values_are_free() -> None:
    """As a table of all its steps this is no line; of what the values reach it is one."""
    row = np.array([[-40, -40, -1, 1, 3, 90, 91]])
    assert find_coefficients(row, np.array([-100]), np.array([100]), 0) is None
    found = find_coefficients(row, np.array([-4]), np.array([4]), 0)
    assert found is not None
    x = np.arange(-4, 5)
    args = (found.multiplier, found.offset, found.shift, 0, 7, found.ties_to_even)
    np.testing.assert_array_equal(requantise(x, *args), codes(row[0].tolist(), x, 0))


def test_one_row_without_coefficients_refuses_all() -> None:
    rows = np.array([[1, 2, 3], [0, 1, 9]])
    assert find_coefficients(rows, np.full(2, -20), np.full(2, 20), 0) is None
