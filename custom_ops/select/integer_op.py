"""The choice between two tensors on integer graphs."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.base import CustomOp

from custom_ops.select.reference import select


class Select(CustomOp):
    """Gives its first input if the third, of one element, is 1, and the second if it is 0 (`reference.select`)."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return no attribute."""
        return {}

    def make_shape_compatible_op(self, model: ModelWrapper) -> NodeProto:
        """Return a node with the same shape rule: the output has the first input's shape."""
        return helper.make_node("Identity", [self.onnx_node.input[0]], [self.onnx_node.output[0]])

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Leave the annotation alone: it was made with the node."""

    def execute_node(self, context: dict[str, NDArray], graph: GraphProto) -> None:
        """Choose."""
        first, second, choice = (context[name] for name in self.onnx_node.input)
        context[self.onnx_node.output[0]] = select(first, second, bool(choice.reshape(-1)[0]))

    def verify_node(self) -> list[str]:
        """Return no finding: there are no attributes."""
        return []
