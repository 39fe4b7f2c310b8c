"""Scales and offsets of any form compare as they are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from finn_flow.transformations.comparable import COMPARABLE_BITS, comparable_integers, fixed_point_offsets


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=12))
def test_every_comparison_is_kept(offsets):
    numbers = np.array(offsets)
    bits, fixed = fixed_point_offsets(numbers)
    if bits == 0:
        assert np.all(np.abs(numbers - fixed) < 1e-3)
        return
    differences = np.arange(-12, 13)[:, None, None]
    wanted = np.sign(differences + (numbers[:, None] - numbers))
    found = np.sign((differences << bits) + (fixed[:, None] - fixed))
    close = np.abs(differences + (numbers[:, None] - numbers)) < 1e-9  # of doubles' own rounding
    np.testing.assert_array_equal(found[~close], wanted[~close])


def test_quantised_biases_need_no_fraction():
    bits, fixed = fixed_point_offsets(np.array([3.0000002, -7.9999998]))
    assert (bits, fixed.tolist()) == (0, [3, -8])


def test_few_fraction_bits_are_enough():
    bits, fixed = fixed_point_offsets(np.array([0.26, -1.3, 0.9]))
    assert bits <= 2
    assert np.argsort(fixed).tolist() == [1, 0, 2]


@given(st.lists(st.tuples(st.integers(-3, 3), st.sampled_from([-1, 1]), st.integers(-64, 64)), min_size=2, max_size=6))
def test_scales_of_few_bits_compare_exactly(channels):
    exponents, signs, eighths = (np.array(part) for part in zip(*channels, strict=True))
    scales, offsets = signs * 2.0**exponents, eighths / 8
    factors, shifts = comparable_integers(scales, offsets, 100)
    codes = np.random.default_rng(0).integers(-100, 101, (200, len(channels)))
    values, integers = codes * scales + offsets, codes * factors + shifts
    for channel in range(1, len(channels)):
        wanted = np.sign(values[:, channel] - values[:, 0])
        np.testing.assert_array_equal(np.sign(integers[:, channel] - integers[:, 0]), wanted)


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(-5, 5)), min_size=2, max_size=6))
def test_any_scales_compare_as_exactly_as_float32(channels):
    scales, offsets = (np.array(part, dtype=np.float32).astype(np.float64) for part in zip(*channels, strict=True))
    reach = 2**14
    factors, shifts = comparable_integers(scales, offsets, reach)
    codes = np.random.default_rng(0).integers(-reach, reach + 1, (200, len(channels)))
    values, integers = codes * scales + offsets, codes * factors + shifts
    assert np.abs(integers).max() < 2**COMPARABLE_BITS
    for channel in range(1, len(channels)):
        difference = values[:, channel] - values[:, 0]
        surely = np.abs(difference) > 2.0**-23 * np.abs(values).max()
        assert np.all(np.sign(difference)[surely] == np.sign(integers[:, channel] - integers[:, 0])[surely])


def test_scales_that_are_too_far_apart():
    assert comparable_integers(np.array([1e-6, 0.7]), np.zeros(1), 2**16) is None
