"""Interleave_rtl and Deinterleave_rtl: references, nodes, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_ops.deinterleave.reference import deinterleave
from custom_ops.interleave.reference import interleave
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers, make_model

PIXELS = {"numInputVectors": [1, 2, 3]}


class TestInterleaveOfTwo(HardwareOpTest):
    op_type = "Interleave_rtl"
    node_inputs = 2
    cases: ClassVar[Mapping[str, Case]] = {
        "two": Case({"tensors": 2, "NumChannels": 6, "PE": 3, "inputDataType": "INT5", **PIXELS}),
        "one lane": Case({"tensors": 2, "NumChannels": 3, "PE": 1, "inputDataType": "UINT8", **PIXELS}),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [interleave([inputs[i] for i in range(self.node_inputs)])]


class TestInterleaveOfThree(TestInterleaveOfTwo):
    node_inputs = 3
    cases: ClassVar[Mapping[str, Case]] = {
        "three": Case({"tensors": 3, "NumChannels": 4, "PE": 2, "inputDataType": "INT8", **PIXELS}),
    }


class TestDeinterleave(HardwareOpTest):
    op_type = "Deinterleave_rtl"
    cases: ClassVar[Mapping[str, Case]] = {
        "first of two": Case(
            {"tensors": 2, "position": 0, "NumChannels": 6, "PE": 3, "inputDataType": "INT5", **PIXELS}
        ),
        "last of three": Case(
            {"tensors": 3, "position": 2, "NumChannels": 4, "PE": 1, "inputDataType": "UINT8", **PIXELS}
        ),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [deinterleave(inputs[0], case.attributes["tensors"], case.attributes["position"])]


@given(st.integers(2, 4), st.integers(1, 5), st.sampled_from([-1, 1]))
def test_taking_apart_gives_what_was_joined(count: int, channels: int, axis: int) -> None:
    shape = (2, 3, channels) if axis == -1 else (2, channels, 3)
    tensors = [np.arange(6 * channels).reshape(shape) + 100 * i for i in range(count)]
    joint = interleave(tensors, axis)
    assert joint.shape[axis] == count * channels
    np.testing.assert_array_equal(np.take(joint, 1, axis), np.take(tensors[1], 0, axis))  # neighbours: one channel
    for position, tensor in enumerate(tensors):
        np.testing.assert_array_equal(deinterleave(joint, count, position, axis), tensor)


@pytest.mark.parametrize(
    ("op_type", "changes", "message"),
    [
        ("Interleave_rtl", {"tensors": 1}, "node: tensors must be at least 2, not 1"),
        ("Interleave_rtl", {"tensors": 3}, "node: number of inputs must be 3, not 2"),
        ("Interleave_rtl", {"PE": 4}, "node: PE must divide NumChannels"),
        ("Deinterleave_rtl", {"position": 2}, "node: position must be 0 or 1, not 2"),
    ],
)
def test_illegal_attributes(op_type, changes, message) -> None:
    from finn_flow.errors import UserError

    attributes = {"tensors": 2, "NumChannels": 6, "PE": 3, "inputDataType": "INT5", **PIXELS}
    attributes |= {"position": 0} if op_type == "Deinterleave_rtl" else {}
    with pytest.raises(UserError, match=message):
        make_model(op_type, Case({**attributes, **changes}), 2 if op_type == "Interleave_rtl" else 1)
