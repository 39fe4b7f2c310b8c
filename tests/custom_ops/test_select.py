"""Select_rtl: reference, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest

from finn_flow.errors import UserError
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers, make_model


def case(choices: list[int], channels: int = 4, pe: int = 2, datatype: str = "INT8") -> Case:
    attributes = {
        "NumChannels": channels,
        "PE": pe,
        "numInputVectors": [1, 2, 3],
        "inputDataType": datatype,
        "iterations": len(choices),
    }
    return Case(attributes, {2: np.array(choices)})


class TestSelect(HardwareOpTest):
    op_type = "Select_rtl"
    node_inputs = 4
    cases: ClassVar[Mapping[str, Case]] = {
        "last of four": case([0, 0, 0, 1]),
        "five": case([1, 0, 1, 1, 0], channels=3, pe=1, datatype="UINT5"),
        "a word per frame": Case({**case([1, 0], 2).attributes, "numInputVectors": [1]}, {2: np.array([1, 0])}),
    }

    def draw(self, stream, case: Case, rng: np.random.Generator) -> Integers:
        if stream.tensor == 3:
            return rng.integers(0, case.attributes["iterations"], stream.shape)
        return super().draw(stream, case, rng)

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [inputs[0] if case.constants[2][int(inputs[3][0])] else inputs[1]]


def test_one_choice_needs_no_node() -> None:
    with pytest.raises(UserError, match=r"node: iterations must be at least 2, not 1 \(one choice needs no index\)"):
        make_model("Select_rtl", case([1]), 4)
