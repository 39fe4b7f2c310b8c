"""ODEUpdate_rtl: reference against exact fractions, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from qonnx.core.datatype import DataType

from custom_ops.ode_update.reference import ode_update
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers


class UpdateCase(Case):
    """A case that further attributes can be added to."""

    def __or__(self, more: Mapping[str, object]) -> UpdateCase:
        return UpdateCase({**self.attributes, **more})


def update_case(state: str, increment: str, fraction_bits: int, channels: int = 4, pe: int = 2) -> UpdateCase:
    return UpdateCase(
        {
            "NumChannels": channels,
            "PE": pe,
            "numInputVectors": [1, 6, 5],
            "stateDataType": state,
            "incrementDataType": increment,
            "fraction_bits": fraction_bits,
        }
    )


class TestODEUpdate(HardwareOpTest):
    op_type = "ODEUpdate_rtl"
    node_inputs = 2
    cases: ClassVar[Mapping[str, Case]] = {
        "rounded": update_case("INT4", "INT8", 3),
        "halves only": update_case("INT3", "INT4", 1, channels=3, pe=3),
        "unsigned": update_case("UINT4", "INT6", 2),
        "same scale": update_case("INT8", "UINT8", 0, channels=1, pe=1),
        "coarser": update_case("INT8", "INT4", -2),
        "finer state": update_case("INT8", "INT6", 1) | {"outputDataType": "INT4", "state_fraction_bits": 3},
        "narrow range": update_case("INT4", "INT6", 2) | {"bounds": [-7, 7]},
        "rectified": update_case("INT8", "INT7", 0) | {"outputDataType": "UINT6", "bounds": [0, 63]},
        "plain sum": update_case("INT20", "INT9", -3, 2, 1) | {"outputDataType": "INT21", "state_fraction_bits": 0},
        "both coarser": update_case("UINT4", "INT4", -1) | {"outputDataType": "INT8", "state_fraction_bits": -2},
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        attributes = case.attributes
        output = DataType[attributes.get("outputDataType") or attributes["stateDataType"]]
        low, high = attributes.get("bounds", (int(output.min()), int(output.max())))
        j, k = attributes.get("state_fraction_bits", 0), attributes["fraction_bits"]
        return [ode_update(inputs[0], inputs[1], k, low, high, j)]


STATES = st.integers(-(2**15), 2**15 - 1)
INCREMENTS = st.integers(-(2**23), 2**23 - 1)


@given(STATES, INCREMENTS, st.integers(-24, 24), st.integers(-6, 6), st.sampled_from([4, 8, 16]))
def test_reference_is_exact_rounding_and_saturation(state: int, increment: int, k: int, j: int, bits: int) -> None:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    exact = Fraction(state) / Fraction(2) ** j + Fraction(increment) / Fraction(2) ** k
    wanted = max(low, min(high, round(exact)))  # Python rounds halves to even
    found = ode_update(np.array([state]), np.array([increment]), k, low, high, j)
    assert found.tolist() == [wanted]
