"""Packing against the simulator's words, which are the accelerator's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finn_flow.deployment.driver.packing import StreamFormat
from finn_flow.verilator import pack


@given(
    bits=st.integers(1, 32),
    signed=st.booleans(),
    pe=st.sampled_from([1, 2, 3, 6]),
    frames=st.integers(1, 4),
    seed=st.integers(0, 999),
)
def test_equal_to_the_simulators_words_and_back(bits, signed, pe, frames, seed):
    form = StreamFormat((2, 6), bits, signed, pe)
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    values = np.random.default_rng(seed).integers(low, high, (frames, 2, 6))
    packed = np.zeros((frames, form.frame_bytes), np.uint8)
    form.pack(values, packed)
    np.testing.assert_array_equal(packed.reshape(-1, form.word_bytes), pack(values.reshape(-1, pe), bits))
    np.testing.assert_array_equal(form.unpack(packed), values)
    assert form.padding_is_zero(packed).all()
    assert StreamFormat.from_json(form.to_json()) == form


def test_bytes_need_no_packing():
    form = StreamFormat((3, 2, 3), 8, False, 3)
    images = np.arange(36, dtype=np.uint8).reshape(2, 3, 2, 3)
    packed = np.zeros((2, 18), np.uint8)
    form.pack(images, packed)
    assert packed.tobytes() == images.tobytes()


def test_padding_is_seen():
    form = StreamFormat((1,), 4, False, 1)
    packed = np.array([[0x03], [0xFF]], np.uint8)
    assert form.padding_is_zero(packed).tolist() == [True, False]
    assert form.unpack(packed).tolist() == [[3], [15]]
    assert StreamFormat((1,), 8, False, 1).padding_is_zero(packed).all()


@pytest.mark.parametrize("change", [{"bits": 0}, {"bits": 33}, {"pe": 0}, {"pe": 4}])
def test_no_format(change):
    with pytest.raises(ValueError, match="not a stream format"):
        StreamFormat.from_json({"shape": [1, 6], "bits": 8, "signed": False, "pe": 2, **change})
