"""Offsets of any form compare, in few bits, as they are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from finn_flow.transformations.comparable import fixed_point_offsets


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
