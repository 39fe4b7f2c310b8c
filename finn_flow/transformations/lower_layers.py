"""Integer forms of layers with weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.transformations.elementwise import Expression, Operation
from finn_flow.transformations.integer_graph import Codes, IntegerGraph, Pending, Stacked, Weights, integer_type
from finn_flow.transformations.layer_windows import attributes, window_of
from finn_flow.transformations.lower_elementwise import constant_layout


def lower_conv(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Make an integer convolution, of one or two spatial axes; its bias becomes part of the function behind it."""
    stacked = graph.env.get(node.input[0])
    if isinstance(stacked, Stacked):
        _lower_stacked_conv(model, node, stacked, graph)
        return
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


def _lower_stacked_conv(model: ModelWrapper, node: NodeProto, stacked: Stacked, graph: IntegerGraph) -> None:
    """Convolve the channels of codes; what the constant ones add, zero padding included, becomes part of the function.

    At the border of the map constant channels add less than inside, so that function differs between kinds of pixels.
    """
    weights = graph.env.get(node.input[1])
    if not isinstance(weights, Weights):
        raise UserError(f"{node.name}: its weights must be quantised constants; use a quantised layer")
    if attributes(node).get("group", 1) != 1:
        raise UserError(f"{node.name}: a convolution of joined channels must have one group")
    check_explicit_padding(node)
    offset: NDArray[np.float32] = np.zeros((1, 1, 1, 1), dtype=np.float32)
    start, own = 0, slice(0)
    for part in stacked.parts:
        if isinstance(part, Codes):
            x, own = part, slice(start, start + part.channels)
            start = own.stop
        else:
            added = _convolve_constant(node, part, weights.values[:, start : start + part.shape[1]])
            offset = np.asarray(offset + added)
            start += part.shape[1]
    kinds, positions = np.unique(offset, axis=1, return_inverse=True)
    of_codes = Weights(weights.codes[:, own], weights.scale, weights.values[:, own])
    _emit_layer(model, node, graph, x, of_codes, of_codes.codes.reshape(len(of_codes.codes), -1), 1, kinds)
    pending = graph.env[node.output[0]]
    assert isinstance(pending, Pending)
    graph.env[node.output[0]] = replace(pending, positions=tuple(np.ravel(positions).tolist()))


def _convolve_constant(node: NodeProto, part: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what constant channels [iterations, c, *map] add: [iterations, pixels, output channels, 1]."""
    window = window_of(node, weights.shape[2:])
    maps = part.reshape(*part.shape[:3], -1).transpose(0, 2, 3, 1).astype(np.float64)
    taps = window.taps(maps, 0)
    flat = weights.reshape(*weights.shape[:2], -1).astype(np.float64)
    added = np.einsum("ihwtc,oct->ihwo", taps, flat).astype(np.float32)
    return np.asarray(added.reshape(len(part), -1, len(weights), 1))


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
    """Require padding that is written down in `pads`."""
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
    offset: NDArray[np.float32] | None = None,
) -> None:
    """Add the integer layer; `rows` holds the weights of each output channel, [channels, inputs].

    `offset` and the bias are added in the function behind it.
    """
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
    addends = [] if offset is None else [offset]
    if len(node.input) > 2 and node.input[2]:
        addends.append(_bias(model, node, graph))
    expression: Expression = codes.expression()
    for addend in addends:
        expression = Operation(helper.make_node("Add", [], [], name=node.name), (expression, addend))
    graph.env[name] = Pending((codes,), expression, codes.shape) if addends else codes


def _bias(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> NDArray[np.float32]:
    name = node.input[2]
    known = graph.env.get(name)
    indexed = name in graph.indexed
    value = known.values if isinstance(known, Weights) else model.get_initializer(name)
    bias = graph.indexed[name] if indexed else value
    if bias is None:
        raise UserError(f"{node.name}: its bias {name} must be a constant")
    bias = np.asarray(bias, dtype=np.float32).reshape(*(bias.shape[:1] if indexed else ()), -1)
    return constant_layout(node, name, bias, 2, indexed)
