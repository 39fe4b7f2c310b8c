"""The table of codes on integer graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.base import CustomOp

from custom_ops.lookup.reference import lookup


class Lookup(CustomOp):
    """Replaces each code by an entry of a table (`reference.lookup`); axis 1 of the data holds the channels.

    Inputs: codes [N, C, ...]; table [C or 1, n]. Output: entries, of the codes' shape.

    Attributes
    ----------
    lowest
        Int Code of the table's first entry.
    """

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attribute `lowest`."""
        return {"lowest": ("i", True, 0)}

    def make_shape_compatible_op(self, model: ModelWrapper) -> NodeProto:
        """Return a node with the same shape rule: the output has the first input's shape."""
        return helper.make_node("Identity", [self.onnx_node.input[0]], [self.onnx_node.output[0]])

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Annotate the output with the table's type."""
        model.set_tensor_datatype(self.onnx_node.output[0], model.get_tensor_datatype(self.onnx_node.input[1]))

    def execute_node(self, context: dict[str, NDArray], graph: GraphProto) -> None:
        """Look every code up."""
        node = self.onnx_node
        x, table = (np.rint(context[name]).astype(np.int64) for name in node.input)
        found = lookup(np.moveaxis(x, 1, -1), table, self.get_nodeattr("lowest"))
        context[node.output[0]] = np.moveaxis(found, -1, 1).astype(np.float32)

    def verify_node(self) -> list[str]:
        """Return no finding: every attribute value is legal."""
        return []
