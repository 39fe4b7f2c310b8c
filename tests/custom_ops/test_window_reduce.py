"""WindowReduce_rtl: reference against convolution and pooling of PyTorch, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given
from hypothesis import strategies as st

from custom_ops.window_reduce.reference import Window, window_reduce
from finn_flow.errors import UserError
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers, make_model


def window_case(
    operation: str, size: tuple[int, int], kernel: tuple[int, int], channels: int = 4, pe: int = 2, **more: object
) -> Case:
    types = {"max": ("INT4", "INT4"), "sum": ("UINT4", "UINT10"), "dot": ("INT4", "INT16")}[operation]
    attributes = {
        "NumChannels": channels,
        "PE": pe,
        "IFMDim": list(size),
        "operation": operation,
        "KernelDim": list(kernel),
        "inputDataType": types[0],
        "outputDataType": types[1],
        **more,
    }
    if operation != "dot":
        return Case(attributes)
    weights = np.random.default_rng(0).integers(-8, 8, (channels, *kernel))
    return Case({**attributes, "weightDataType": "INT4"}, {1: weights})


def window_of(case: Case) -> Window:
    pairs = [tuple(case.attributes.get(name, (1, 1))) for name in ("KernelDim", "Stride", "Dilation")]
    return Window(*pairs, tuple(case.attributes.get("Padding", (0, 0, 0, 0))))


class TestWindowReduce(HardwareOpTest):
    op_type = "WindowReduce_rtl"
    cases: ClassVar[Mapping[str, Case]] = {
        "max pool": window_case("max", (6, 4), (2, 2), Stride=[2, 2]),
        "overlapping, padded": window_case("max", (5, 6), (3, 3), Stride=[2, 2], Padding=[1, 1, 1, 1]),
        "average": window_case("sum", (5, 5), (3, 2), channels=3, pe=3),
        "whole map": window_case("sum", (3, 4), (3, 4), channels=2, pe=1),
        "dilated": window_case("dot", (6, 7), (3, 3), Dilation=[2, 2], Padding=[2, 2, 2, 2]),
        "uneven": window_case("dot", (5, 6), (2, 4), Padding=[0, 1, 1, 2], Stride=[1, 2]),
        "skipping": window_case("dot", (8, 7), (1, 1), Stride=[3, 2]),
        "one column": window_case("dot", (9, 1), (5, 1), channels=6, pe=6, Padding=[2, 0, 2, 0]),
    }

    def make_model(self, case):
        return make_model(self.op_type, case, 1 + len(case.constants))

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [window_reduce(inputs[0], window_of(case), case.attributes["operation"], case.constants.get(1))]


@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    data=st.data(),
)
def test_reference_is_pytorchs_pooling_and_convolution(kernel, stride, dilation, data):
    pads = [data.draw(st.integers(0, k // 2)) for k in kernel]
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 8, (2, 9, 8, 3))
    weights = rng.integers(-8, 8, (3, *kernel))
    window = Window(kernel, stride, dilation, (*pads, *pads))
    channels_first = torch.from_numpy(x.transpose(0, 3, 1, 2).astype(np.float64))
    pooled = functional.max_pool2d(channels_first, kernel, stride, pads, dilation)
    np.testing.assert_array_equal(window_reduce(x, window, "max"), pooled.numpy().transpose(0, 2, 3, 1))
    kernels = torch.from_numpy(weights[:, None].astype(np.float64))
    summed = functional.conv2d(channels_first, kernels, None, stride, pads, dilation, groups=3)
    np.testing.assert_array_equal(window_reduce(x, window, "dot", weights), summed.numpy().transpose(0, 2, 3, 1))
    ones = functional.conv2d(channels_first, torch.ones_like(kernels), None, stride, pads, dilation, groups=3)
    np.testing.assert_array_equal(window_reduce(x, window, "sum"), ones.numpy().transpose(0, 2, 3, 1))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"Padding": [2, 0, 0, 0]}, r"Padding must be smaller than the window \[2, 2\], not \[2, 0, 0, 0\]"),
        ({"KernelDim": [7, 1]}, r"must fit the padded map, not \[7, 1\] on \[6, 4\]"),
        ({"outputDataType": "INT5"}, "outputDataType must be INT4, not INT5"),
    ],
)
def test_what_is_illegal_is_named(more, message):
    with pytest.raises(UserError, match=message):
        make_model("WindowReduce_rtl", window_case("max", (6, 4), (2, 2), **{"Stride": [2, 2]} | more))
