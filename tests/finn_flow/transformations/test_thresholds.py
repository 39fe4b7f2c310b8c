"""Thresholds are right for every code, whatever float arithmetic they replace."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from finn_flow.transformations.thresholds import ElementwiseOp, Quantizer, compose, find_thresholds, is_decreasing


def quantizer(bits: int, signed: bool, exponent: int, narrow: bool = False) -> Quantizer:
    return Quantizer(2.0**exponent, bits, signed, narrow and signed, "ROUND")


def count(thresholds: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """What thresholding hardware computes: the number of thresholds at most the code; [channels, codes]."""
    return (codes[None, :, None] >= thresholds[:, None, :]).sum(axis=-1)


@given(
    data=st.data(),
    bits=st.integers(2, 8),
    signed=st.booleans(),
    narrow=st.booleans(),
    source_bits=st.integers(2, 14),
    source_exponent=st.integers(-12, 2),
    exponent=st.integers(-8, 4),
    relu=st.booleans(),
)
def test_every_code_is_quantised_as_the_float_function_says(
    data, bits, signed, narrow, source_bits, source_exponent, exponent, relu
):
    numbers = st.floats(np.float32(-1e4), np.float32(1e4), width=32)
    factors = np.float32(data.draw(st.lists(numbers, min_size=3, max_size=3)))
    offsets = np.float32(data.draw(st.lists(numbers, min_size=3, max_size=3)))
    ops = [ElementwiseOp("Mul", np.abs(factors)[:, None]), ElementwiseOp("Add", offsets[:, None])]
    ops += [ElementwiseOp("Relu")] if relu else []
    function = compose(np.full((3, 1), 2.0**source_exponent), ops)
    target = quantizer(bits, signed, exponent, narrow)
    bound = 2 ** (source_bits - 1)
    low, high = np.full((3, 1), -bound), np.full((3, 1), bound - 1)
    thresholds = find_thresholds(function, target, low, high)
    codes = np.arange(-bound, bound)
    expected = target.codes(function(np.broadcast_to(codes, (3, codes.size)).astype(np.float32)))
    np.testing.assert_array_equal(count(thresholds, codes) + target.lowest, expected)
    assert np.all(np.diff(thresholds, axis=-1) >= 0)


def test_ties_round_to_even():
    """Half of each odd code: 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, 3.5 -> 4."""
    thresholds = find_thresholds(
        compose(np.full((1, 1), 0.5), []), quantizer(3, False, 0), np.array([[0]]), np.array([[255]])
    )
    assert thresholds.tolist() == [[2, 3, 6, 7, 10, 11, 14]]


def test_a_level_out_of_reach_has_a_threshold_above_all_codes():
    thresholds = find_thresholds(
        compose(np.full((1, 1), 1.0), []), quantizer(3, False, 0), np.array([[-4]]), np.array([[5]])
    )
    assert thresholds.tolist() == [[1, 2, 3, 4, 5, 6, 6]]


def test_constants_may_differ_between_iterations():
    factors = np.float32([0.5, 1.0, 2.0]).reshape(3, 1, 1)
    function = compose(np.ones((2, 1)), [ElementwiseOp("Mul", factors)])
    low, high = np.full((2, 1), -8), np.full((2, 1), 7)
    thresholds = find_thresholds(function, quantizer(2, False, 0), low, high)
    assert thresholds.shape == (3, 2, 3)
    assert thresholds[:, 0].tolist() == [[2, 3, 6], [1, 2, 3], [1, 1, 2]]


def test_direction_of_a_function_is_found_per_channel():
    factors = np.float32([1.0, -1.0, 0.0])[:, None]
    function = compose(np.ones((3, 1)), [ElementwiseOp("Mul", factors)])
    found = is_decreasing(function, np.full((3, 1), -4), np.full((3, 1), 4))
    assert found.ravel().tolist() == [False, True, False]


def test_a_constant_may_stand_on_either_side():
    first = ElementwiseOp("Sub", np.float32([[3.0]]), constant_first=True)
    second = ElementwiseOp("Sub", np.float32([[3.0]]))
    x = np.float32([[1.0, 5.0]])
    assert first.apply(x).tolist() == [[2.0, -2.0]]
    assert second.apply(x).tolist() == [[-2.0, 2.0]]
