"""Other units in the place of a matrix-vector unit: the same sums, or none where they cannot be made."""

from __future__ import annotations

import numpy as np
import pytest

from finn_flow.transformations.alternatives import alternative, put_in_place
from finn_flow.transformations.matrix_products import MOST_WEIGHTS, cascade_mvau, constant_matrix
from tests.finn_flow.finn_adapter.finn_nodes import Node, execute_onnx, mvau


@pytest.mark.parametrize("op_type", ["ConstantMatrix_rtl", "CascadeMVAU_rtl"])
@pytest.mark.parametrize("node", [mvau("UINT4", "INT4", 9, 6, 1, 1), mvau("INT8", "INT3", 4, 12, 2, 3)])
def test_the_same_sums(node: Node, op_type: str) -> None:
    model, inputs = node.model(), node.random_input(0)
    unit = model.graph.node[0]
    found = alternative(model, unit, op_type)
    assert found is not None
    assert (found.node.name, found.constants) == (f"{op_type}_0", {})
    put_in_place(model, unit, found)
    sums = execute_onnx(model, inputs)["outp"]
    assert node.constant is not None
    np.testing.assert_array_equal(sums, inputs["inp"] @ node.constant)


def test_what_is_too_large_too_wide_or_no_constant_stays() -> None:
    assert MOST_WEIGHTS == 64 * 64
    largest = mvau("UINT4", "INT4", 64, 64, 1, 1).model()
    assert constant_matrix(largest, largest.graph.node[0]) is not None
    assert cascade_mvau(largest, largest.graph.node[0]) is not None
    largest.del_initializer("constant")
    for model in (
        largest,
        mvau("UINT4", "INT4", 65, 64, 1, 1).model(),
        mvau("UINT13", "INT4", 4, 4, 1, 1).model(),
        mvau("UINT4", "INT13", 4, 4, 1, 1).model(),
    ):
        assert constant_matrix(model, model.graph.node[0]) is None
    for model in (largest, mvau("UINT4", "INT4", 128, 129, 1, 1).model(), mvau("UINT18", "INT4", 4, 4, 1, 1).model()):
        assert cascade_mvau(model, model.graph.node[0]) is None
