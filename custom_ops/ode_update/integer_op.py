"""The Euler update on integer graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.base import CustomOp

from custom_ops.ode_update.reference import ode_update


class ODEUpdate(CustomOp):
    """Aligned, added, rounded half to even, saturated (`reference.ode_update`).

    Inputs: state and increment, of one shape. Output: the new state.

    Attributes
    ----------
    state_fraction_bits, fraction_bits
        Int j and k: the scale of the first and of the second input is the output's divided by 2^j and 2^k.
    lowest, highest
        Int Range of the output.
    """

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes, integers all."""
        names = ("state_fraction_bits", "fraction_bits", "lowest", "highest")
        return dict.fromkeys(names, ("i", True, 0))

    def make_shape_compatible_op(self, model: ModelWrapper) -> NodeProto:
        """Return a node with the same shape rule: the output has the first input's shape."""
        return helper.make_node("Identity", [self.onnx_node.input[0]], [self.onnx_node.output[0]])

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Leave the annotation alone: it was made with the node."""

    def execute_node(self, context: dict[str, NDArray], graph: GraphProto) -> None:
        """Update the state."""
        node = self.onnx_node
        state, increment = (np.rint(context[name]).astype(np.int64) for name in node.input)
        context[node.output[0]] = ode_update(
            state,
            increment,
            self.get_nodeattr("fraction_bits"),
            self.get_nodeattr("lowest"),
            self.get_nodeattr("highest"),
            self.get_nodeattr("state_fraction_bits"),
        ).astype(np.float32)

    def verify_node(self) -> list[str]:
        """Return no finding: every attribute value is legal."""
        return []
