"""Interleaving on integer graphs."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.base import CustomOp

from custom_ops.interleave.reference import interleave


class Interleave(CustomOp):
    """Puts tensors [N, C, ...] of one shape side by side along axis 1 (`reference.interleave`)."""

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return no attribute."""
        return {}

    def make_shape_compatible_op(self, model: ModelWrapper) -> NodeProto:
        """Return a node with the same shape rule."""
        return helper.make_node("Concat", list(self.onnx_node.input), list(self.onnx_node.output), axis=1)

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Annotate the output with the type that all inputs have."""
        model.set_tensor_datatype(self.onnx_node.output[0], model.get_tensor_datatype(self.onnx_node.input[0]))

    def execute_node(self, context: dict[str, NDArray], graph: GraphProto) -> None:
        """Put the tensors side by side."""
        context[self.onnx_node.output[0]] = interleave([context[name] for name in self.onnx_node.input], axis=1)

    def verify_node(self) -> list[str]:
        """Return no finding: there are no attributes."""
        return []
