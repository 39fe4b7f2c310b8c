"""CascadeMVAU_rtl: node, RTL and mapped gates against the product with the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qonnx.core.datatype import DataType
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers, make_model


def cascade_case(
    inputs: int,
    outputs: int,
    simd: int,
    pe: int,
    kind: str = "UINT4",
    weights: str = "INT4",
    vectors: tuple[int, int] = (2, 3),
) -> Case:
    """A case with random weights, the extreme ones among them, and the narrowest type that holds every sum."""
    rng = np.random.default_rng(inputs + outputs)
    datatype, input_type = DataType[weights], DataType[kind]
    values = rng.integers(int(datatype.min()), int(datatype.max()), (inputs, outputs), endpoint=True)
    values[:, 0] = datatype.min()
    values[:, -1] = datatype.max()
    values[: inputs // 2, outputs // 2] = datatype.min()
    ends = np.stack([values * int(input_type.min()), values * int(input_type.max())])
    low, high = int(ends.min(axis=0).sum(axis=0).min()), int(ends.max(axis=0).sum(axis=0).max())
    bits = max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + 1
    attributes = {
        "MW": inputs,
        "MH": outputs,
        "SIMD": simd,
        "PE": pe,
        "numInputVectors": [1, *vectors],
        "inputDataType": kind,
        "weightDataType": weights,
        "outputDataType": f"INT{bits}",
    }
    return Case(attributes, {1: values})


class TestCascadeMVAU(HardwareOpTest):
    op_type = "CascadeMVAU_rtl"
    node_inputs = 2
    gate_level_cases = ("folded both ways", "at once, odd outputs", "one element, signed", "one product per DSP")
    cases: ClassVar[Mapping[str, Case]] = {
        "folded both ways": cascade_case(12, 6, 4, 2),
        "at once, odd outputs": cascade_case(5, 3, 5, 3),
        "one by one": cascade_case(3, 2, 1, 1, "INT3", "INT2"),
        "one element, signed": cascade_case(4, 4, 1, 4, "INT5"),
        "repeated vectors": cascade_case(6, 8, 6, 2, "INT4"),
        "one product per DSP": cascade_case(12, 4, 3, 4, "INT8", "INT8"),
        "one output row": cascade_case(8, 4, 2, 4),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [inputs[0] @ case.constants[1]]


def test_products_per_dsp() -> None:
    def lanes(case: Case) -> int:
        return getCustomOp(make_model("CascadeMVAU_rtl", case, 2).graph.node[0]).lanes

    assert [lanes(case) for case in TestCascadeMVAU.cases.values()] == [2, 2, 1, 2, 2, 1, 2]
    wide = cascade_case(6, 4, 3, 4)
    at_most = Case({**wide.attributes, "outputDataType": "INT22"}, wide.constants)
    beyond = Case({**wide.attributes, "outputDataType": "INT23"}, wide.constants)
    assert (lanes(at_most), lanes(beyond)) == (2, 1)


@given(st.data())
def test_order_of_the_weights(data: st.DataObject) -> None:
    """Cycle by cycle, the core's weights give each output's sum."""
    simd, folds, pe, words = (data.draw(st.integers(1, 4)) for _ in range(4))
    case = cascade_case(simd * folds, pe * words, simd, pe)
    op = getCustomOp(make_model("CascadeMVAU_rtl", case, 2).graph.node[0])
    core = op._column_weights(case.constants[1]).reshape(simd, folds * words, pe)
    x = np.random.default_rng(simd).integers(0, 16, simd * folds)
    found = [
        sum(x[fold * simd + s] * core[s, word * folds + fold] for fold in range(folds) for s in range(simd))
        for word in range(words)
    ]
    np.testing.assert_array_equal(np.concatenate(found), x @ case.constants[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"SIMD": 5}, "SIMD must divide MW"),
        ({"PE": 4}, "PE must divide MH"),
        ({"outputDataType": "UINT12"}, "outputDataType must be signed, not UINT12"),
        ({"inputDataType": "UINT18"}, "inputDataType"),
    ],
)
def test_illegal_attributes(change: dict, message: str) -> None:
    case = cascade_case(12, 6, 4, 2)
    with pytest.raises(UserError, match=message):
        make_model("CascadeMVAU_rtl", Case({**case.attributes, **change}, case.constants), 2)
