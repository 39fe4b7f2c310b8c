"""The rolled ODE loop on QONNX graphs: a body graph that runs a fixed number of times on its own result."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.base import CustomOp
from qonnx.transformation.infer_datatypes import InferDataTypes

from custom_ops.graph_execution import run_nodes
from custom_ops.ode_loop.body import BodyAttribute
from finn_flow.errors import FlowError


class ODELoop(BodyAttribute, CustomOp):
    """Runs `body` `iterations` times: z <- body(z, p_1[i], p_2[i], ...) for i = 0, 1, ..., iterations - 1.

    Inputs: the state `z`, then any number of constants `p_j` whose first dimension is the iteration.
    Output: the state after the last iteration, of the shape, datatype and scale of the input.

    Attributes
    ----------
    body
        Graph Its inputs are the state and one `q_j` of shape `p_j.shape[1:]` per `p_j`, in the order of the node's
        inputs; its one output is the next state. Constants that all iterations share are its initialisers.
    iterations
        Int, at least 2.
    body_opsets
        List of str The body's operator sets, "domain:version" each.

    Any QONNX nodes may stand in the body; tensors are laid out as in the graph around it (NCHW in exported graphs).
    """

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        """Return the attributes: `body`, `body_opsets` and `iterations`."""
        return {"iterations": ("i", True, 0), **self.body_attribute_types()}

    def make_shape_compatible_op(self, model: ModelWrapper) -> NodeProto:
        """Return a node with the loop's shape rule: the output has the shape of the state that comes in."""
        return helper.make_node("Identity", [self.onnx_node.input[0]], [self.onnx_node.output[0]])

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Annotate the body's inputs from the node's inputs, and the output with what one iteration makes of them."""
        body = self.get_nodeattr("body")
        for outer, inner in zip(self.onnx_node.input, body.graph.input, strict=True):
            body.set_tensor_datatype(inner.name, model.get_tensor_datatype(outer))
        self.set_nodeattr("body", body)
        body = body.transform(InferDataTypes(allow_scaledint_dtypes=True), cleanup=False)
        model.set_tensor_datatype(self.onnx_node.output[0], body.get_tensor_datatype(body.graph.output[0].name))

    def execute_node(self, context: dict[str, NDArray], graph: GraphProto) -> None:
        """Run the loop on the arrays of `context`. Raises FlowError for parameters of another iteration count."""
        node = self.onnx_node
        iterations = self.get_nodeattr("iterations")
        body = self.get_nodeattr("body")
        names, output = [value.name for value in body.graph.input], body.graph.output[0].name
        parameters = [context[name] for name in node.input[1:]]
        for name, parameter in zip(node.input[1:], parameters, strict=True):
            if parameter.shape[:1] != (iterations,):
                raise FlowError(
                    f"{node.name}: the first dimension of parameter '{name}' must be iterations={iterations}, "
                    f"not shape {list(parameter.shape)}"
                )
        state = context[node.input[0]]
        for i in range(iterations):
            inputs = [state, *(np.asarray(parameter[i]) for parameter in parameters)]
            state = run_nodes(body, dict(zip(names, inputs, strict=True)), {output})[output]
        context[node.output[0]] = state

    def verify_node(self) -> list[str]:
        """Check the node by itself; return one sentence per finding, as FINN's `verify_nodes` expects.

        Raises FlowError for an iteration count below 2, for a body whose inputs do not fit the node's, and for one
        that changes the state's shape.
        """
        node = self.onnx_node
        iterations = self.get_nodeattr("iterations")
        if iterations < 2:
            raise FlowError(f"{node.name}: iterations must be at least 2, not {iterations}")
        body = self.get_nodeattr("body")
        if len(body.graph.input) != len(node.input) or len(body.graph.output) != 1 or len(node.output) != 1:
            raise FlowError(
                f"{node.name}: the body must have one input per input of the node and one output, not "
                f"{len(body.graph.input)} inputs for {len(node.input)} and {len(body.graph.output)} outputs"
            )
        before, after = (body.get_tensor_shape(end[0].name) for end in (body.graph.input, body.graph.output))
        if before != after:
            raise FlowError(f"{node.name}: the body must keep the state's shape, not turn {before} into {after}")
        return [f"{node.name}: all attributes are consistent"]
