"""A factor and an offset for each channel, on integer graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.base import CustomOp

from custom_ops.channel_affine.reference import channel_affine


class ChannelAffine(CustomOp):
    """Multiply and add (`reference.channel_affine`); axis 1 of the data holds the channels.

    Inputs: integers [N, C, ...]; factors and offsets [C, 2]. Output: integers of the same shape.
    """

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return no attributes: there are none."""
        return {}

    def make_shape_compatible_op(self, model: ModelWrapper) -> NodeProto:
        """Return a node with the same shape rule: the output has the first input's shape."""
        return helper.make_node("Identity", [self.onnx_node.input[0]], [self.onnx_node.output[0]])

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Leave the annotation alone: it was made with the node."""

    def execute_node(self, context: dict[str, NDArray], graph: GraphProto) -> None:
        """Multiply and add."""
        node = self.onnx_node
        x, constants = (np.rint(context[name]).astype(np.int64) for name in node.input)
        found = channel_affine(np.moveaxis(x, 1, -1), constants)
        context[node.output[0]] = np.moveaxis(found, -1, 1).astype(np.float64)  # wider than float32 holds

    def verify_node(self) -> list[str]:
        """Return no finding: there are no attributes."""
        return []
