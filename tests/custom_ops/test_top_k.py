"""TopK_rtl: reference against sorting by hand, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from custom_ops.top_k.reference import top_k
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers


def top_case(labels: int, pe: int, k: int, inputs: str, vectors: list[int]) -> Case:
    return Case({"Labels": labels, "PE": pe, "K": k, "inputDataType": inputs, "numInputVectors": vectors})


class TestTopK(HardwareOpTest):
    op_type = "TopK_rtl"
    cases: ClassVar[Mapping[str, Case]] = {
        "best of ten": top_case(10, 1, 1, "INT12", [1, 1, 1]),
        "many ties": top_case(12, 4, 5, "INT2", [1]),
        "whole order": top_case(6, 3, 6, "UINT3", [1]),
        "two labels": top_case(2, 2, 1, "BINARY", [1]),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [top_k(inputs[0], case.attributes["K"])]


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=20), st.data())
def test_reference_takes_lowest_position_among_equals(values: list[int], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(values)))
    wanted = sorted(range(len(values)), key=lambda i: (-values[i], i))[:k]
    assert top_k(np.array([values]), k).tolist() == [wanted]
