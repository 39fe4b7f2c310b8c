"""Integer forms of what only changes a tensor's shape."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.transformations.integer_graph import Codes, IntegerGraph, Pending


def lower_reshape(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Flatten a feature map, or drop or add axes of length 1."""
    x = graph.env.get(node.input[0])
    shape = tuple(model.get_tensor_shape(node.output[0]))
    if isinstance(x, Pending):
        raise UserError(f"{node.name}: its input must be quantised; put a quantiser before it")
    if not isinstance(x, Codes):
        raise UserError(f"{node.name}: {node.op_type} of an unquantised tensor has no integer form")
    if shape == x.shape:
        graph.env[node.output[0]] = x
        return
    squeezed = [size for size in shape[2:] if size != 1] == [size for size in x.shape[2:] if size != 1]
    flattened = shape == (x.shape[0], int(np.prod(x.shape[1:])))
    if shape[:1] != x.shape[:1] or not (flattened or (shape[1] == x.shape[1] and squeezed)):
        raise UserError(
            f"{node.name}: turns {list(x.shape)} into {list(shape)}; only flattening to [N, features] and axes of "
            "length 1 that come or go have an integer form"
        )
    if flattened and int(np.prod(x.shape[2:])) > 1 and (x.scale.ndim or x.lowest.ndim):
        raise UserError(
            f"{node.name}: flattens a tensor that differs between channels; quantise it with one scale first"
        )
    constant = f"{node.output[0]}_shape"
    graph.initializers[constant] = np.array([0, *shape[1:]], dtype=np.int64)  # 0 keeps the batch size
    reshape = helper.make_node("Reshape", [x.name, constant], list(node.output))
    codes = graph.add(reshape, shape, graph.dtypes[x.name], x.scale, (x.lowest, x.highest))
    graph.env[node.output[0]] = codes
