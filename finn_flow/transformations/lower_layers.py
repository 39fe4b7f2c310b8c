"""Integer forms of layers with weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.transformations.elementwise import Operation
from finn_flow.transformations.integer_graph import Codes, IntegerGraph, Pending, Weights, integer_type
from finn_flow.transformations.lower_elementwise import constant_layout


def attributes(node: NodeProto) -> dict[str, Any]:
    """The attributes of a node by name."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def lower_conv(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Make an integer convolution, of one or two spatial axes; its bias becomes part of the function behind it."""
    x, weights = _layer_operands(node, graph)
    groups = attributes(node).get("group", 1)
    check_explicit_padding(node)
    if len(x.shape) not in (3, 4):
        raise UserError(f"{node.name}: a convolution must have one or two spatial axes, not {len(x.shape) - 2}")
    if x.scale.ndim and weights.codes.shape[1] > 1:
        raise UserError(
            f"{node.name}: its input has a scale per channel, which only a depthwise convolution can have; quantise it "
            "with one scale"
        )
    _emit_layer(model, node, graph, x, weights, weights.codes.reshape(weights.codes.shape[0], -1), groups)


def lower_matmul(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Make an integer linear layer of MatMul or Gemm; a bias becomes part of the function behind it."""
    x, weights = _layer_operands(node, graph)
    if x.scale.ndim:
        raise UserError(f"{node.name}: its input has a scale per channel; quantise it with one scale")
    codes, inputs = weights.codes, list(node.input)
    if node.op_type == "Gemm":
        options = attributes(node)
        if options.get("alpha", 1.0) != 1.0 or options.get("beta", 1.0) != 1.0 or options.get("transA", 0):
            raise UserError(f"{node.name}: Gemm must have alpha = beta = 1 and transA = 0")
        codes = codes.T if options.get("transB", 0) else codes
    if codes.ndim != 2 or len(x.shape) != 2:
        raise UserError(
            f"{node.name}: a linear layer must take one vector [1, features] per image, not {list(x.shape)}; "
            "flatten or pool before it"
        )
    plain = helper.make_node("MatMul", inputs, list(node.output), name=node.name)
    _emit_layer(model, plain, graph, x, Weights(codes, weights.scale, weights.values), codes.T, 1)


def check_explicit_padding(node: NodeProto) -> None:
    """Require padding that is written down in ``pads``."""
    mode = attributes(node).get("auto_pad", b"NOTSET").decode()
    if mode not in ("NOTSET", "VALID"):
        raise UserError(f"{node.name}: padding must be given by pads, not by auto_pad={mode}")


def _layer_operands(node: NodeProto, graph: IntegerGraph) -> tuple[Codes, Weights]:
    x, weights = graph.env.get(node.input[0]), graph.env.get(node.input[1])
    if isinstance(x, Weights) or isinstance(weights, Codes | Pending):
        raise UserError(f"{node.name}: its second input must be constant weights and its first the data")
    if not isinstance(x, Codes):
        raise UserError(f"{node.name}: its input must be quantised; put a quantiser before it")
    if not isinstance(weights, Weights):
        raise UserError(f"{node.name}: its weights must be quantised constants; use a quantised layer")
    return x, weights


def _emit_layer(
    model: ModelWrapper,
    node: NodeProto,
    graph: IntegerGraph,
    x: Codes,
    weights: Weights,
    rows: NDArray[np.int64],
    groups: int,
) -> None:
    """Add the integer layer; ``rows`` holds the weights of each output channel, [channels, inputs]."""
    name = node.output[0]
    shape = tuple(model.get_tensor_shape(name))
    parameter = f"{name}_weights"
    dtype = integer_type(int(weights.codes.min()), int(weights.codes.max()), signed=True)
    graph.add_parameter(parameter, weights.codes[np.newaxis], dtype)
    emitted = NodeProto()
    emitted.CopyFrom(node)
    emitted.input[:] = [x.name, parameter]
    low, high = int(x.lowest.min()), int(x.highest.max())
    zero_low, zero_high = min(low, 0), max(high, 0)  # padding adds zeros
    highest = np.where(rows > 0, rows * zero_high, rows * zero_low).sum(axis=1)
    lowest = np.where(rows > 0, rows * zero_low, rows * zero_high).sum(axis=1)
    accumulator = integer_type(int(lowest.min()), int(highest.max()), signed=True)
    scale = np.repeat(x.scale, shape[1] // groups) if x.scale.ndim else x.scale
    codes = graph.add(emitted, shape, accumulator, scale * weights.scale, (lowest, highest))
    graph.env[name] = codes
    if len(node.input) > 2 and node.input[2]:
        graph.env[name] = _biased(model, node, codes, graph)


def _biased(model: ModelWrapper, node: NodeProto, codes: Codes, graph: IntegerGraph) -> Pending:
    name = node.input[2]
    known = graph.env.get(name)
    indexed = name in graph.indexed
    value = known.values if isinstance(known, Weights) else model.get_initializer(name)
    bias = graph.indexed[name] if indexed else value
    if bias is None:
        raise UserError(f"{node.name}: its bias {name} must be a constant")
    bias = np.asarray(bias, dtype=np.float32).reshape(*(bias.shape[:1] if indexed else ()), -1)
    constant = constant_layout(node, name, bias, 2, indexed)
    add = helper.make_node("Add", [], [], name=node.name)
    return Pending((codes,), Operation(add, (codes.expression(), constant)), codes.shape)
