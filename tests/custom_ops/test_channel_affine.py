"""ChannelAffine_rtl: reference, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from custom_ops.channel_affine.reference import channel_affine
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers


def affine_case(channels: int, pe: int, types: tuple[str, str, str]) -> Case:
    bits = int(types[1].removeprefix("INT"))
    constants = np.random.default_rng(channels).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (channels, 2))
    names = ("inputDataType", "constantDataType", "outputDataType")
    shape = {"NumChannels": channels, "PE": pe, "numInputVectors": [1, 1, 3]}
    return Case({**shape, **dict(zip(names, types, strict=True))}, {1: constants})


class TestChannelAffine(HardwareOpTest):
    op_type = "ChannelAffine_rtl"
    node_inputs = 2
    cases: ClassVar[Mapping[str, Case]] = {
        "folded": affine_case(6, 2, ("INT8", "INT5", "INT13")),
        "wide": affine_case(5, 1, ("INT20", "INT24", "INT45")),
        "unsigned, one fold": affine_case(3, 3, ("UINT6", "INT4", "INT11")),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [channel_affine(inputs[0], case.constants[1])]


def test_factor_then_offset():
    assert channel_affine(np.array([[2, 3]]), np.array([[10, 1], [-1, 4]])).tolist() == [[21, 1]]
