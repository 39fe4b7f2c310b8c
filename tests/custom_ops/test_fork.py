"""Fork_rtl: reference, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from custom_ops.fork.reference import fork
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers


class TestFork(HardwareOpTest):
    op_type = "Fork_rtl"
    cases: ClassVar[Mapping[str, Case]] = {
        "two": Case(
            {"NumOutputs": 2, "NumChannels": 6, "PE": 3, "numInputVectors": [1, 2, 3], "inputDataType": "INT5"}
        ),
        "five": Case({"NumOutputs": 5, "NumChannels": 4, "PE": 1, "numInputVectors": [1, 3], "inputDataType": "UINT8"}),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return fork(inputs[0], case.attributes["NumOutputs"])
