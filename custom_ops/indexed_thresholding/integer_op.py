"""Thresholding whose thresholds depend on the pixel, on integer graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.base import CustomOp

from custom_ops.indexed_thresholding.reference import position_thresholding


class PositionThreshold(CustomOp):
    """Counts the thresholds of each pixel's kind that are not larger than the value.

    Inputs: values [N, C, ...]; thresholds [kinds, C or 1, n]. Output: `out_bias` plus the count.

    Attributes
    ----------
    positions
        List of int Kind of each pixel, row by row.
    out_bias
        Int Output below the first threshold.
    """

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes."""
        return {"positions": ("ints", True, []), "out_bias": ("i", True, 0)}

    def make_shape_compatible_op(self, model: ModelWrapper) -> NodeProto:
        """Return a node with the same shape rule: the output has the first input's shape."""
        return helper.make_node("Identity", [self.onnx_node.input[0]], [self.onnx_node.output[0]])

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Leave the annotation alone: it was made with the node."""

    def execute_node(self, context: dict[str, NDArray], graph: GraphProto) -> None:
        """Count."""
        node = self.onnx_node
        x, thresholds = (np.rint(context[name]).astype(np.int64) for name in node.input)
        positions = np.array(self.get_nodeattr("positions"))
        last = np.moveaxis(x, 1, -1)
        found = position_thresholding(last, thresholds, positions, self.get_nodeattr("out_bias"))
        context[node.output[0]] = np.moveaxis(found, -1, 1).astype(np.float32)

    def verify_node(self) -> list[str]:
        """Return no finding: every attribute value is legal."""
        return []
