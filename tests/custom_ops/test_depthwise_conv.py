"""DepthwiseConv_rtl: reference against a naive loop and torch, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest
import torch
from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
from hypothesis import given
from hypothesis import strategies as st
from qonnx.core.datatype import DataType
from qonnx.custom_op.registry import getCustomOp

from custom_ops.depthwise_conv.reference import accumulator_bounds, depthwise_conv
from finn_flow.errors import UserError
from finn_flow.finn_adapter.environment import ensure_finn
from tests.custom_ops.base_test import PART, Case, HardwareOpTest, Integers, make_model
from tests.custom_ops.cases import conv_case


class TestDepthwiseConv(HardwareOpTest):
    op_type = "DepthwiseConv_rtl"
    node_inputs = 2
    gate_level_cases = ("3x3 stride 2 odd",)
    cases: ClassVar[Mapping[str, Case]] = {
        "3x3 folded": conv_case(6, 2, (5, 4), 3, 1, "INT8", "INT8", ram_style="block"),
        "3x3": conv_case(2, 2, (4, 5), 3, 1, "UINT4", "INT4"),
        "3x3 stride 2": conv_case(6, 3, (6, 6), 3, 2, "UINT4", "INT3"),
        "3x3 stride 2 odd": conv_case(1, 1, (5, 7), 3, 2, "INT12", "INT2", ram_style="distributed"),
        "3x3 smallest": conv_case(1, 1, (2, 2), 3, 1, "BINARY", "INT4"),
        "5x5": conv_case(3, 1, (5, 6), 5, 1, "INT4", "INT4", resType="lut"),
        "5x5 stride 2": conv_case(2, 2, (6, 5), 5, 2, "UINT2", "INT4", resType="dsp"),
        "5x5 smallest": conv_case(2, 1, (3, 3), 5, 1, "INT2", "INT2"),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [depthwise_conv(inputs[0], case.constants[1], case.attributes["Stride"])]


SIZES = st.integers(3, 6)
SEEDS = st.integers(0, 2**32 - 1)


@given(SIZES, SIZES, st.sampled_from([3, 5]), st.sampled_from([1, 2]), SEEDS)
def test_reference_equals_naive_loop_and_torch(height: int, width: int, kernel: int, stride: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(-2048, 2048, (2, height, width, 3))
    weights = rng.integers(-128, 128, (3, kernel, kernel))
    found = depthwise_conv(x, weights, stride)

    rows, columns = -(-height // stride), -(-width // stride)
    wanted = np.zeros((2, rows, columns, 3), np.int64)
    for n, i, j, c, u, v in np.ndindex(2, rows, columns, 3, kernel, kernel):
        y, z = i * stride + u - kernel // 2, j * stride + v - kernel // 2
        if 0 <= y < height and 0 <= z < width:
            wanted[n, i, j, c] += x[n, y, z, c] * weights[c, u, v]
    np.testing.assert_array_equal(found, wanted)

    images, kernels = (torch.tensor(a, dtype=torch.float64) for a in (x.transpose(0, 3, 1, 2), weights[:, None]))
    by_torch = torch.nn.functional.conv2d(images, kernels, stride=stride, padding=kernel // 2, groups=3)
    np.testing.assert_array_equal(found, by_torch.numpy().transpose(0, 2, 3, 1))


@given(st.sampled_from(["INT4", "UINT4", "BINARY", "INT2"]), SEEDS)
def test_accumulator_bounds_are_reached_and_never_passed(datatype: str, seed: int) -> None:
    kind = DataType[datatype]
    weights = np.random.default_rng(seed).integers(-8, 8, (2, 3, 3))
    low, high = accumulator_bounds(weights, kind)
    ends = [int(kind.min()), int(kind.max())]
    largest = [np.where(w > 0, ends[1], ends[0])[None, :, :, None] for w in weights]
    smallest = [np.where(w > 0, ends[0], ends[1])[None, :, :, None] for w in weights]
    center = [depthwise_conv(x, w[None], 1)[0, 1, 1, 0] for x, w in zip(largest, weights, strict=True)]
    assert high == max(center)
    center = [depthwise_conv(x, w[None], 1)[0, 1, 1, 0] for x, w in zip(smallest, weights, strict=True)]
    assert low == min(center)


def test_minimize_accumulator_width_uses_the_weights() -> None:
    case = conv_case(2, 1, (4, 4), 3, 1, "UINT4", "INT4")
    case.constants[1][:] = 1
    model = make_model("DepthwiseConv_rtl", case, 2)
    op = getCustomOp(model.graph.node[0])
    assert op.minimize_accumulator_width(model) == DataType["INT9"]  # 9 * 15 = 135
    assert op.minimize_accumulator_width(model, datatype_only=True) == DataType["INT12"]  # -8 * 9 * 15 = -1080
    assert model.get_tensor_datatype("out0") == DataType["INT12"]


def test_accumulator_too_narrow_for_the_weights_is_refused() -> None:
    case = conv_case(2, 1, (4, 4), 3, 1, "UINT4", "INT4", outputDataType="INT4")
    case.constants[1][:] = 1
    model = make_model("DepthwiseConv_rtl", case, 2)
    ensure_finn()
    with pytest.raises(UserError, match="node: outputDataType must hold every sum from 0 to 135, not INT4; use INT9"):
        model.transform(PrepareIP(PART, 5.0))
