"""GlobalSumPool_rtl: reference, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from qonnx.core.datatype import DataType
from qonnx.custom_op.registry import getCustomOp

from custom_ops.global_sum_pool.reference import global_sum_pool
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers


def pool_case(channels: int, pe: int, size: list[int], inputs: str, outputs: str) -> Case:
    return Case({"NumChannels": channels, "PE": pe, "ImgDim": size, "inputDataType": inputs, "outputDataType": outputs})


class TestGlobalSumPool(HardwareOpTest):
    op_type = "GlobalSumPool_rtl"
    cases: ClassVar[Mapping[str, Case]] = {
        "unfolded": pool_case(3, 3, [4, 3], "INT4", "INT8"),
        "folded": pool_case(12, 2, [2, 3], "UINT4", "UINT7"),
        "one pixel": pool_case(4, 1, [1, 1], "INT8", "INT10"),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [global_sum_pool(inputs[0])]

    def test_minimize_accumulator_width(self, case_name: str, case: Case) -> None:
        model = self.make_model(case)
        op = getCustomOp(model.graph.node[0])
        narrowest = {"unfolded": "INT8", "folded": "UINT7", "one pixel": "INT8"}[case_name]  # -96, 90, -128
        assert op.minimize_accumulator_width(model) == DataType[narrowest]
        assert model.get_tensor_datatype("out0") == DataType[narrowest]


@given(hnp.arrays(np.int64, (2, 3, 2, 4), elements=st.integers(-(2**15), 2**15)))
def test_reference_sums_pixels(x: Integers) -> None:
    sums = global_sum_pool(x)
    assert sums.shape == (2, 1, 1, 4)
    assert sums[1, 0, 0, 2] == sum(int(x[1, i, j, 2]) for i in range(3) for j in range(2))
