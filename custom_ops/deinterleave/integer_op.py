"""The inverse of interleaving on integer graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.base import CustomOp

from custom_ops.deinterleave.reference import deinterleave


class Deinterleave(CustomOp):
    """Takes one of several tensors that lie side by side along axis 1 (`reference.deinterleave`).

    Attributes
    ----------
    tensors
        Int How many tensors there are.
    position
        Int Which of them the output is.
    """

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes, integers both."""
        return dict.fromkeys(("tensors", "position"), ("i", True, 0))

    def make_shape_compatible_op(self, model: ModelWrapper) -> NodeProto:
        """Return a constant of the output's shape."""
        batch, channels, *rest = model.get_tensor_shape(self.onnx_node.input[0])
        values = np.zeros((batch, channels // self.get_nodeattr("tensors"), *rest), dtype=np.float32)
        constant = helper.make_tensor("value", TensorProto.FLOAT, values.shape, values.ravel())
        return helper.make_node("Constant", [], list(self.onnx_node.output), value=constant)

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Annotate the output with the input's type."""
        model.set_tensor_datatype(self.onnx_node.output[0], model.get_tensor_datatype(self.onnx_node.input[0]))

    def execute_node(self, context: dict[str, NDArray], graph: GraphProto) -> None:
        """Take the tensor's channels."""
        x = context[self.onnx_node.input[0]]
        tensors, position = self.get_nodeattr("tensors"), self.get_nodeattr("position")
        context[self.onnx_node.output[0]] = deinterleave(x, tensors, position, axis=1)

    def verify_node(self) -> list[str]:
        """Return no finding: every attribute value is legal."""
        return []
