"""Integer forms of layers with weights, of pooling and of reshapes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.basic import get_by_name

from finn_flow.errors import UserError
from finn_flow.transformations.integer_graph import Codes, IntegerGraph, Weights, integer_type


def lower_conv(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    x, weights = _layer_operands(node, graph)
    if len(node.input) > 2:
        raise UserError(f"{node.name}: the bias of a convolution must be a separate Add before the quantiser")
    group = get_by_name(node.attribute, "group")
    per_group = 1 if group is None else group.i
    reshaped = weights.codes.reshape(weights.codes.shape[0], -1)
    if per_group not in (1, x.shape[1]):
        raise UserError(f"{node.name}: group must be 1 or the number of channels {x.shape[1]}, not {per_group}")
    _emit_layer(model, node, graph, x, weights, reshaped)


def lower_matmul(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    x, weights = _layer_operands(node, graph)
    codes = weights.codes
    if node.op_type == "Gemm":
        options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if len(node.input) > 2 or options.get("alpha", 1.0) != 1.0 or options.get("transA", 0):
            raise UserError(f"{node.name}: only Gemm(x, weights) without bias, alpha and transA has an integer form")
        codes = codes.T if options.get("transB", 0) else codes
    plain = helper.make_node("MatMul", list(node.input), list(node.output), name=node.name)
    _emit_layer(model, plain, graph, x, Weights(codes, weights.scale), codes.T)


def _layer_operands(node: NodeProto, graph: IntegerGraph) -> tuple[Codes, Weights]:
    x, weights = graph.env.get(node.input[0]), graph.env.get(node.input[1])
    if not isinstance(x, Codes) or x.scale.ndim:
        raise UserError(f"{node.name}: its input must be quantised with one scale; put a quantiser before it")
    if not isinstance(weights, Weights):
        raise UserError(f"{node.name}: its weights must be quantised constants; use a quantised layer")
    return x, weights


def _emit_layer(
    model: ModelWrapper, node: NodeProto, graph: IntegerGraph, x: Codes, weights: Weights, rows: NDArray[np.int64]
) -> None:
    """Add the integer layer; ``rows`` holds the weights of each output channel, [channels, inputs]."""
    name = node.output[0]
    parameter = f"{name}_weights"
    graph.initializers[parameter] = weights.codes.astype(np.float32)
    graph.dtypes[parameter] = integer_type(weights.codes.min(), weights.codes.max(), signed=True)
    emitted = NodeProto()
    emitted.CopyFrom(node)
    del emitted.input[:]
    emitted.input.extend([x.name, parameter])
    graph.nodes.append(emitted)
    low, high = int(x.lowest.min()), int(x.highest.max())
    zero_low, zero_high = min(low, 0), max(high, 0)  # padding adds zeros
    highest = np.where(rows > 0, rows * zero_high, rows * zero_low).sum(axis=1)
    lowest = np.where(rows > 0, rows * zero_low, rows * zero_high).sum(axis=1)
    shape = tuple(model.get_tensor_shape(name))
    graph.shapes[name] = shape
    graph.dtypes[name] = integer_type(lowest.min(), highest.max(), signed=True)
    graph.env[name] = Codes(name, x.scale * weights.scale, lowest, highest, shape)


def lower_pool(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    x = graph.env.get(node.input[0])
    if not isinstance(x, Codes) or len(x.shape) != 4:
        raise UserError(f"{node.name}: pools a tensor that is not a quantised feature map")
    if node.op_type != "GlobalAveragePool" and _axes(model, node) not in ([2, 3], [-2, -1]):
        raise UserError(f"{node.name}: must reduce height and width, not axes {_axes(model, node)}")
    keep = get_by_name(node.attribute, "keepdims")
    keepdims = 1 if keep is None or node.op_type == "GlobalAveragePool" else keep.i
    name, pixels = node.output[0], x.shape[2] * x.shape[3]
    shape = (*x.shape[:2], 1, 1) if keepdims else x.shape[:2]
    graph.initializers[f"{name}_axes"] = np.array([2, 3], dtype=np.int64)
    graph.nodes.append(helper.make_node("ReduceSum", [x.name, f"{name}_axes"], [name], keepdims=keepdims))
    scale = x.scale if node.op_type == "ReduceSum" else x.scale / pixels
    lowest, highest = x.lowest * pixels, x.highest * pixels
    graph.shapes[name] = shape
    graph.dtypes[name] = integer_type(lowest.min(), highest.max())
    graph.env[name] = Codes(name, scale, lowest, highest, shape)


def _axes(model: ModelWrapper, node: NodeProto) -> list[int]:
    attribute = get_by_name(node.attribute, "axes")
    if attribute is not None:
        return list(attribute.ints)
    axes = model.get_initializer(node.input[1]) if len(node.input) > 1 else None
    return [] if axes is None else [int(axis) for axis in axes]


def lower_reshape(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    x = graph.env.get(node.input[0])
    shape = tuple(model.get_tensor_shape(node.output[0]))
    if not isinstance(x, Codes) or int(np.prod(x.shape[2:])) != 1 or shape[:2] != x.shape[:2]:
        raise UserError(f"{node.name}: only a pooled, quantised tensor [N, C, 1, 1] can be flattened")
    graph.initializers[f"{node.output[0]}_shape"] = np.array(shape, dtype=np.int64)
    graph.nodes.append(helper.make_node("Reshape", [x.name, f"{node.output[0]}_shape"], list(node.output)))
    graph.shapes[node.output[0]], graph.dtypes[node.output[0]] = shape, graph.dtypes[x.name]
    graph.env[node.output[0]] = Codes(node.output[0], x.scale, x.lowest, x.highest, shape)
