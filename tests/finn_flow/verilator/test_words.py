import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finn_flow.verilator import pack, unpack


@given(st.integers(1, 62), st.integers(1, 7), st.booleans(), st.integers(0, 2**32 - 1))
def test_unpack_inverts_pack(bits: int, pe: int, signed: bool, seed: int) -> None:
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    values = np.random.default_rng(seed).integers(low, high, (5, pe))
    words = pack(values, bits)
    assert words.shape == (5, (pe * bits + 7) // 8)
    np.testing.assert_array_equal(unpack(words, pe, bits, signed), values)


def test_element_0_is_least_significant() -> None:
    assert pack(np.array([[1, 2, -1]]), 4).tolist() == [[0x21, 0x0F]]


def test_leading_axes_become_words() -> None:
    assert pack(np.arange(12).reshape(2, 3, 2), 8).tolist() == [[2 * i, 2 * i + 1] for i in range(6)]


def test_64_bits() -> None:
    values = np.array([[-(2**63), 2**63 - 1]])
    np.testing.assert_array_equal(unpack(pack(values, 64), 2, 64, signed=True), values)


@pytest.mark.parametrize("value", [16, -9])
def test_values_that_do_not_fit(value: int) -> None:
    with pytest.raises(ValueError, match=rf"values must fit in 4 bits, not lie in \[{value}, {value}\]"):
        pack([[value]], 4)


def test_no_integers() -> None:
    with pytest.raises(ValueError, match="values must be integers, not float64"):
        pack([[0.5]], 4)


def test_words_too_narrow() -> None:
    with pytest.raises(ValueError, match=r"words must be \[n, 2\] bytes for 3 x 4 bits"):
        unpack(np.zeros((1, 1), np.uint8), 3, 4, signed=False)
