"""ODEUpdate_rtl: reference against exact fractions, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from custom_ops.ode_update.reference import ode_update
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers


def update_case(state: str, increment: str, fraction_bits: int, channels: int = 4, pe: int = 2) -> Case:
    return Case(
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
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        bits = int(case.attributes["stateDataType"].lstrip("UINT"))
        signed = not case.attributes["stateDataType"].startswith("U")
        low = -(2 ** (bits - 1)) if signed else 0
        return [ode_update(inputs[0], inputs[1], case.attributes["fraction_bits"], low, low + 2**bits - 1)]


STATES = st.integers(-(2**15), 2**15 - 1)
INCREMENTS = st.integers(-(2**23), 2**23 - 1)


@given(STATES, INCREMENTS, st.integers(-24, 24), st.sampled_from([4, 8, 16]))
def test_reference_is_exact_rounding_and_saturation(state: int, increment: int, fraction_bits: int, bits: int) -> None:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    exact = state + Fraction(increment) / Fraction(2) ** fraction_bits
    wanted = max(low, min(high, round(exact)))  # Python rounds halves to even
    found = ode_update(np.array([state]), np.array([increment]), fraction_bits, low, high)
    assert found.tolist() == [wanted]
