"""Requantisation_rtl and IndexedRequantisation_rtl: reference against Python's integers, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qonnx.core.datatype import DataType
from qonnx.core.onnx_exec import execute_onnx

from custom_ops.requantisation.reference import requantise
from custom_ops.streams import Stream
from finn_flow.errors import FlowError, UserError
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers, make_model


def requantisation_case(
    channels: int,
    pe: int,
    inputs: str,
    outputs: str,
    codes: tuple[int, int],
    shift: int,
    multiplier_bits: int = 9,
    ties_to_even: bool = False,
    shared: bool = False,
    iterations: int = 1,
    resource: str = "dsp",
    size: tuple[int, int] = (3, 4),
    writable: bool = False,
) -> Case:
    """Return a case with random parameters; a good part of the results is within the limits, at them, and exact."""
    kind = DataType[inputs]
    rng = np.random.default_rng(channels + shift)
    rows = (iterations, 1 if shared else channels)
    multiplier = rng.integers(0, 1 << multiplier_bits, rows)
    multiplier.flat[0] = (1 << multiplier_bits) - 1
    middle = (int(kind.min()) + int(kind.max())) // 2
    offset = (sum(codes) // 2 << shift) - multiplier * middle + rng.integers(-8, 8, rows)
    parameters = np.stack([multiplier, offset], axis=-1)
    attributes = {
        "NumChannels": channels,
        "PE": pe,
        "numInputVectors": [1, *size],
        "ActVal": codes[0],
        "numSteps": codes[1] - codes[0],
        "shift": shift,
        "ties_to_even": int(ties_to_even),
        "inputDataType": inputs,
        "outputDataType": outputs,
        "multiplier_bits": multiplier_bits,
        "offset_bits": max(int(value).bit_length() for value in offset.flat) + 1,
        "channel_wise": int(not shared),
        "resType": resource,
        "runtime_writeable_weights": int(writable),
    }
    if iterations > 1:
        return Case({**attributes, "iterations": iterations}, {1: parameters})
    return Case(attributes, {1: parameters[0]})


def expected(case: Case, x: Integers, rows: Integers) -> list[Integers]:
    low = case.attributes["ActVal"]
    high, ties = low + case.attributes["numSteps"], bool(case.attributes["ties_to_even"])
    return [requantise(x, rows[:, 0], rows[:, 1], case.attributes["shift"], low, high, ties)]


class TestRequantisation(HardwareOpTest):
    op_type = "Requantisation_rtl"
    node_inputs = 2
    cases: ClassVar[Mapping[str, Case]] = {
        "signed codes": requantisation_case(6, 2, "INT8", "INT4", (-8, 7), 11),
        "narrow codes, ties, LUTs": requantisation_case(
            4, 4, "UINT6", "INT4", (-7, 7), 3, 2, ties_to_even=True, resource="lut"
        ),
        "shared, not from zero": requantisation_case(4, 2, "INT9", "UINT4", (2, 13), 6, 4, shared=True),
        "no shift, ties": requantisation_case(3, 1, "INT5", "UINT4", (0, 15), 0, 1, ties_to_even=True),
        "wide": requantisation_case(2, 1, "INT18", "INT8", (-128, 127), 30, 21, resource="lut"),
        "writable": requantisation_case(6, 2, "INT8", "INT4", (-8, 7), 11, writable=True),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return expected(case, inputs[0], case.constants[1])


class TestIndexedRequantisation(HardwareOpTest):
    op_type = "IndexedRequantisation_rtl"
    node_inputs = 3
    cases: ClassVar[Mapping[str, Case]] = {
        "signed codes": requantisation_case(6, 2, "INT8", "INT4", (-8, 7), 12, iterations=3),
        "one fold, ties": requantisation_case(
            4, 4, "UINT6", "INT6", (-31, 31), 2, 4, ties_to_even=True, iterations=5, resource="lut"
        ),
        "shared": requantisation_case(4, 1, "INT9", "UINT4", (0, 15), 9, shared=True, iterations=2),
        "one word per frame": requantisation_case(3, 3, "INT6", "INT4", (-8, 7), 8, iterations=4, size=(1, 1)),
        "writable": requantisation_case(6, 3, "INT8", "INT4", (-8, 7), 12, iterations=3, writable=True),
    }

    def draw(self, stream: Stream, case: Case, rng: np.random.Generator) -> Integers:
        if stream.tensor == 2:
            return rng.integers(0, case.attributes["iterations"], stream.shape)
        return super().draw(stream, case, rng)

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return expected(case, inputs[0], case.constants[1][int(inputs[2][0])])


@given(
    st.lists(st.integers(-(2**24), 2**24), min_size=1, max_size=9),
    st.integers(0, 2**26 - 1),
    st.integers(-(2**46), 2**46),
    st.integers(0, 36),
    st.booleans(),
)
def test_reference_is_exact(x: list[int], multiplier: int, offset: int, shift: int, ties_to_even: bool) -> None:
    found = requantise(np.array(x), np.array(multiplier), np.array(offset), shift, -100, 27, ties_to_even)
    for value, code in zip(x, found.tolist(), strict=True):
        quotient, rest = divmod(value * multiplier + offset, 2**shift)
        if ties_to_even and rest == 0 and quotient % 2:
            quotient -= 1
        assert code == min(max(quotient, -100), 27)


def test_index_without_a_set_is_refused() -> None:
    case = requantisation_case(2, 1, "INT4", "UINT2", (0, 3), 4, iterations=3)
    model = make_model("IndexedRequantisation_rtl", case, 3)
    feed = {"in0": np.zeros((1, 3, 4, 2), np.float32), "in2": np.full(1, 3, np.float32)}
    with pytest.raises(FlowError, match="node: index must be between 0 and 2, not 3"):
        execute_onnx(model, feed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"PE": 3}, "node: PE must divide NumChannels"),
        ({"shift": 37}, "node: shift must be 0, 1, .* 35 or 36, not 37"),
        ({"outputDataType": "UINT1"}, "node: outputDataType must hold 0 to 3"),
        ({"multiplier_bits": 27}, "node: multiplier_bits must be 1, .*, not 27"),
    ],
)
def test_illegal_attributes(change: dict[str, object], message: str) -> None:
    case = requantisation_case(2, 1, "INT4", "UINT2", (0, 3), 4)
    with pytest.raises(UserError, match=message):
        make_model("Requantisation_rtl", Case({**case.attributes, **change}, case.constants), 2)
