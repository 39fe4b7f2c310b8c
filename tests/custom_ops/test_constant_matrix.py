"""ConstantMatrix_rtl: adder graph, node and RTL against the product with the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from qonnx.core.datatype import DataType

from custom_ops.constant_matrix.adder_graph import adder_graph
from tests.custom_ops.base_test import Case, HardwareOpTest, Integers


def matrix_case(inputs: int, outputs: int, kind: str, weights: str = "INT4", sparse: float = 0.0) -> Case:
    """A case with random weights; the first output has none but zeros if `sparse` is not 0."""
    rng = np.random.default_rng(inputs + outputs)
    datatype = DataType[weights]
    values = rng.integers(int(datatype.min()), int(datatype.max()), (inputs, outputs), endpoint=True)
    values[rng.random(values.shape) < sparse] = 0
    if sparse:
        values[:, 0] = 0
    bound = max(1, int(np.abs(values).sum(axis=0).max())) * max(-int(DataType[kind].min()), int(DataType[kind].max()))
    attributes = {
        "MW": inputs,
        "MH": outputs,
        "numInputVectors": [1, 3, 2],
        "inputDataType": kind,
        "weightDataType": weights,
        "outputDataType": f"INT{bound.bit_length() + 1}",
    }
    return Case(attributes, {1: values})


class TestConstantMatrix(HardwareOpTest):
    op_type = "ConstantMatrix_rtl"
    node_inputs = 2
    cases: ClassVar[Mapping[str, Case]] = {
        "unsigned": matrix_case(8, 6, "UINT4"),
        "signed, wide, sparse": matrix_case(12, 5, "INT8", "INT6", 0.6),
        "one by one": matrix_case(1, 1, "INT4"),
        "wires only": matrix_case(3, 4, "INT4", "INT2", 0.8),
    }

    def expected(self, case: Case, inputs: Mapping[int, Integers]) -> list[Integers]:
        return [inputs[0] @ case.constants[1]]


@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(2, 8), st.sampled_from([(0, 15), (-8, 7), (-128, 127), (0, 1)])
)
def test_graph_is_the_matrix_and_its_ranges_hold(
    inputs: int, outputs: int, bits: int, interval: tuple[int, int]
) -> None:
    rng = np.random.default_rng(inputs * 100 + outputs * 10 + bits)
    weights = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (inputs, outputs))
    graph = adder_graph(weights, [interval] * inputs)
    x = rng.integers(interval[0], interval[1] + 1, (64, inputs))
    x[:2] = np.array(interval)[:, None]
    np.testing.assert_array_equal(graph.evaluate(x), x @ weights)
    for adder in graph.adders:
        assert adder.lowest <= adder.highest
