"""Lookup_rtl: reference, node, RTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest
from qonnx.core.datatype import DataType

from custom_ops.lookup.reference import lookup
from finn_flow.errors import UserError
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers, make_model


def lookup_case(
    channels: int, pe: int, types: tuple[str, str], lowest: int, entries: int, shared: bool = False
) -> Case:
    out = DataType[types[1]]
    shape = (1 if shared else channels, entries)
    table = np.random.default_rng(entries).integers(int(out.min()), int(out.max()), shape, endpoint=True)
    return Case(
        {
            "NumChannels": channels,
            "PE": pe,
            "numInputVectors": [1, 4, 3],
            "entries": entries,
            "lowest": lowest,
            "channel_wise": int(not shared),
            "inputDataType": types[0],
            "outputDataType": types[1],
        },
        {1: table},
    )


class TestLookup(HardwareOpTest):
    op_type = "Lookup_rtl"
    node_inputs = 2
    cases: ClassVar[Mapping[str, Case]] = {
        "signed, folded": lookup_case(6, 2, ("INT4", "INT12"), -8, 16),
        "shared, part of the codes": lookup_case(4, 4, ("UINT5", "UINT3"), 2, 20, shared=True),
        "one channel": lookup_case(1, 1, ("INT8", "INT8"), -128, 256),
        "three folds": lookup_case(3, 1, ("UINT2", "INT2"), 0, 3),
    }

    def draw(self, stream, case, rng):
        low = case.attributes["lowest"]
        return rng.integers(low, low + case.attributes["entries"], stream.shape)

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [lookup(inputs[0], case.constants[1], case.attributes["lowest"])]


def test_each_channel_reads_its_own_table():
    table = np.array([[10, 11, 12], [20, 21, 22]])
    x = np.array([[[-1, 1], [0, 0]]])
    assert lookup(x, table, -1).tolist() == [[[10, 22], [11, 21]]]


def test_a_table_beyond_the_input_type_is_refused():
    with pytest.raises(UserError, match=r"inputDataType must hold -8 to 8 .*, not INT4"):
        make_model("Lookup_rtl", lookup_case(2, 1, ("INT4", "INT8"), -8, 17), 2)
