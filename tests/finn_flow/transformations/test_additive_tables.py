"""Sums of tables: right for every pair, or none."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from custom_ops.ode_update.reference import ode_update
from finn_flow.transformations.additive_tables import SumIntervals, fixed_point_tables, thresholds_on_sums

A, B = np.arange(-8, 8), np.arange(-16, 16)


@given(st.integers(0, 6), st.floats(0.05, 3.0), st.floats(0.05, 3.0))
def test_tables_that_are_found_give_every_code(fraction_bits, first_step, second_step):
    codes = np.clip(np.rint(A[:, None] * first_step + B * second_step), -8, 7).astype(np.int64)
    intervals = SumIntervals.of(codes, (-8, 7), fraction_bits)
    guess = np.rint(A * first_step * 2.0**fraction_bits).astype(np.int64)
    other = np.rint(B * second_step * 2.0**fraction_bits).astype(np.int64)
    tables = intervals.both(guess, other)
    if tables is None:
        assert fraction_bits < 6  # fine enough for steps far from ties
        return
    x, y = (np.broadcast_to(part, codes.shape) for part in (tables[0][:, None], tables[1]))
    np.testing.assert_array_equal(ode_update(x, y, fraction_bits, -8, 7, fraction_bits), codes)
    assert intervals.hold(*tables)


def test_a_scale_of_any_value_becomes_a_table_of_whole_steps():
    codes = np.clip(np.rint(A[:, None] + B * 0.37), -8, 7).astype(np.int64)
    table = SumIntervals.of(codes, (-8, 7), 0).second(A)
    assert table is not None
    np.testing.assert_array_equal(table, np.rint(B * 0.37))


def test_ties_to_even_need_half_steps():
    codes = np.clip(np.rint(A[:, None] + B * 0.5), -8, 7).astype(np.int64)
    assert SumIntervals.of(codes, (-8, 7), 0).second(A) is None
    table = SumIntervals.of(codes, (-8, 7), 1).second(A * 2)
    assert table is not None
    np.testing.assert_array_equal(table[1:-1], B[1:-1])


def test_a_product_is_no_sum():
    codes = np.clip(A[:, None] * B, -8, 7)
    intervals = SumIntervals.of(codes, (-8, 7), 8)
    assert intervals.both(A << 8, B << 8) is None
    assert thresholds_on_sums(codes, A[:, None] + B, (-8, 7)) is None


@given(st.floats(2.0**-9, 1.0, width=32), st.sampled_from([0.25, 0.1, 0.5, 0.3]))
def test_float32_rounding_at_ties_is_kept(scale, step):
    """Z + h·f of one scale: whether a tie goes up or down is decided by the rounding of the float32 products."""
    s = np.float32(scale)
    first, second = (A.astype(np.float32) * s), (B.astype(np.float32) * s) * np.float32(step)
    codes = np.clip(np.rint((first[:, None] + second) / s), -8, 7).astype(np.int64)
    for x, y in fixed_point_tables(first.astype(np.float64) / scale, second.astype(np.float64) / scale):
        sums = x[:, None] + y
        thresholds = thresholds_on_sums(codes, sums, (-8, 7))
        if thresholds is not None:
            np.testing.assert_array_equal((sums[..., None] >= thresholds).sum(axis=-1) - 8, codes)
            assert np.abs(sums).max() < 2**24
            return
    raise AssertionError("no tables")
