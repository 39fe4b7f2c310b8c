"""Integer forms of quantisers and of the elementwise arithmetic before them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.transformations.integer_graph import Codes, IntegerGraph, Pending, Residual, Weights, integer_type
from finn_flow.transformations.thresholds import (
    BINARY_OPS,
    ElementwiseOp,
    Quantizer,
    compose,
    find_thresholds,
    is_decreasing,
)


def lower_quant(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    operand = node.input[0]
    constant = model.get_initializer(operand)
    if constant is not None:
        graph.env[node.output[0]] = _weights(model, node, constant)
        return
    quantizer = _quantizer(model, node)
    value = graph.env.get(operand)
    if value is None:
        graph.env[node.output[0]] = _input_codes(model, node, quantizer, graph)
    elif isinstance(value, Residual):
        graph.env[node.output[0]] = _update_state(node, value, quantizer, graph)
    elif isinstance(value, Weights):
        raise UserError(f"{node.name}: quantises a constant twice")
    else:
        pending = value if isinstance(value, Pending) else Pending(value, ())
        graph.env[node.output[0]] = _threshold(model, node, pending, quantizer, graph)


def _quantizer(model: ModelWrapper, node: NodeProto) -> Quantizer:
    scale, zero, bits = (model.get_initializer(name) for name in node.input[1:4])
    if scale is None or zero is None or bits is None:
        raise UserError(f"{node.name}: scale, zero-point and bit width must be constants, the same in every iteration")
    if np.any(zero != 0):
        raise UserError(f"{node.name}: the zero-point must be 0, not {np.ravel(zero)[0]:g}; use a symmetric quantiser")
    if np.unique(scale).size != 1:
        raise UserError(f"{node.name}: an activation needs one scale for all its channels, not {np.unique(scale).size}")
    instance = getCustomOp(node)
    return Quantizer(
        scale=float(np.ravel(scale)[0]),
        bits=int(np.ravel(bits)[0]),
        signed=bool(instance.get_nodeattr("signed")),
        narrow=bool(instance.get_nodeattr("narrow")),
        rounding=instance.get_nodeattr("rounding_mode"),
    )


def _weights(model: ModelWrapper, node: NodeProto, constant: NDArray[np.float32]) -> Weights:
    scale, zero = (model.get_initializer(name) for name in node.input[1:3])
    if np.any(zero != 0):
        raise UserError(f"{node.name}: the zero-point of weights must be 0; use a symmetric quantiser")
    context = {name: model.get_initializer(name) for name in node.input}
    getCustomOp(node).execute_node(context, model.graph)
    codes = np.rint(context[node.output[0]] / scale).astype(np.int64)
    per_channel = scale.astype(np.float64).reshape(-1) if scale.size > 1 else np.float64(scale.reshape(-1)[0])
    return Weights(codes, np.asarray(per_channel))


def _input_codes(model: ModelWrapper, node: NodeProto, quantizer: Quantizer, graph: IntegerGraph) -> Codes:
    name = node.input[0]
    shape = tuple(model.get_tensor_shape(name))
    graph.shapes[name], graph.dtypes[name] = shape, quantizer.dtype_name
    return _codes(name, quantizer, shape)


def _codes(name: str, quantizer: Quantizer, shape: tuple[int, ...]) -> Codes:
    bounds = np.array(quantizer.lowest), np.array(quantizer.highest)
    return Codes(name, np.asarray(np.float64(quantizer.scale)), *bounds, shape)


def _threshold(
    model: ModelWrapper, node: NodeProto, pending: Pending, quantizer: Quantizer, graph: IntegerGraph
) -> Codes:
    source = pending.source
    channels = source.shape[1]
    lowest, highest = (np.broadcast_to(bound, (channels,))[:, None] for bound in (source.lowest, source.highest))
    scale = np.broadcast_to(source.scale, (channels,))[:, None]
    function = compose(scale, pending.ops)
    decreasing = is_decreasing(function, lowest, highest).reshape(-1, channels)
    flip: NDArray[np.bool_] = np.asarray(decreasing.any(axis=0))
    if flip.any():
        if not np.all(decreasing[:, flip]):
            raise UserError(f"{node.name}: the factor before it changes its sign between iterations")
        if len(model.find_consumers(source.name) or []) > 1:
            raise UserError(f"{node.name}: decreases with its input {source.name}, which others read too")
        source = _negate_channels(node, source, flip, graph)
        lowest, highest = source.lowest[:, None], source.highest[:, None]
        sign = np.where(flip, -1.0, 1.0)[:, None]
        function = compose(scale * sign, pending.ops)
    thresholds = find_thresholds(function, quantizer, lowest, highest)
    if np.all(thresholds == thresholds[..., :1, :]):
        thresholds = thresholds[..., :1, :]
    parameter = f"{node.output[0]}_thresholds"
    stored = graph.new_parameters if thresholds.ndim == 3 else graph.initializers
    stored[parameter] = thresholds.astype(np.float32)
    signed = DataType[graph.dtypes[source.name]].signed()
    graph.dtypes[parameter] = integer_type(source.lowest.min(), thresholds.max(), signed)
    graph.nodes.append(
        helper.make_node(
            "MultiThreshold",
            [source.name, parameter],
            [node.output[0]],
            domain="qonnx.custom_op.general",
            out_dtype=quantizer.dtype_name,
            out_bias=float(quantizer.lowest),
            out_scale=1.0,
        )
    )
    graph.dtypes[node.output[0]] = quantizer.dtype_name
    graph.shapes[node.output[0]] = source.shape
    return _codes(node.output[0], quantizer, source.shape)


def _negate_channels(node: NodeProto, source: Codes, flip: NDArray[np.bool_], graph: IntegerGraph) -> Codes:
    """Negate the weights of the layer that computes ``source`` where ``flip``, so that the function after it rises."""
    producer = next((n for n in graph.nodes if source.name in n.output), None)
    if producer is None or producer.op_type not in ("Conv", "MatMul"):
        raise UserError(f"{node.name}: decreases with its input, which is not the result of a convolution or MatMul")
    weights = graph.initializers[producer.input[1]]
    sign = np.where(flip, np.float32(-1), np.float32(1))
    graph.initializers[producer.input[1]] = (
        weights * sign.reshape(-1, *[1] * (weights.ndim - 1)) if producer.op_type == "Conv" else weights * sign
    )
    lowest, highest = np.where(flip, -source.highest, source.lowest), np.where(flip, -source.lowest, source.highest)
    return Codes(source.name, source.scale, lowest, highest, source.shape)


def _update_state(node: NodeProto, value: Residual, quantizer: Quantizer, graph: IntegerGraph) -> Codes:
    operands = (value.first, value.second)
    state = next((codes for codes in operands if codes.scale == quantizer.scale), None)
    if state is None:
        raise UserError(
            f"{node.name}: the state quantiser's scale {quantizer.scale:g} must be the scale of the state that enters, "
            f"not {float(operands[0].scale):g} or {float(operands[1].scale):g}; share one quantiser in all iterations"
        )
    increment = operands[1] if state is operands[0] else operands[0]
    ratio = float(increment.scale) / quantizer.scale
    if not np.log2(ratio).is_integer():
        raise UserError(f"{node.name}: increment scale / state scale must be a power of two, not {ratio:g}")
    name = node.output[0]
    aligned, total = f"{name}_aligned", f"{name}_sum"
    constants = {f"{name}_factor": ratio, f"{name}_one": 1.0, f"{name}_zero": 0.0, f"{name}_bits": quantizer.bits}
    graph.initializers |= {key: np.array(number, dtype=np.float32) for key, number in constants.items()}
    graph.nodes += [
        helper.make_node("Mul", [increment.name, f"{name}_factor"], [aligned]),
        helper.make_node("Add", [state.name, aligned], [total]),
        helper.make_node(
            "Quant",
            [total, f"{name}_one", f"{name}_zero", f"{name}_bits"],
            [name],
            domain=node.domain,
            signed=int(quantizer.signed),
            narrow=int(quantizer.narrow),
            rounding_mode=quantizer.rounding,
        ),
    ]
    graph.shapes |= dict.fromkeys((aligned, total, name), state.shape)
    graph.dtypes |= {aligned: "FLOAT32", total: "FLOAT32", name: quantizer.dtype_name}
    return _codes(name, quantizer, state.shape)


def lower_elementwise(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    dynamic = [name for name in node.input if name in graph.env]
    values = [graph.env[name] for name in dynamic]
    operands = [value for value in values if isinstance(value, Codes)]
    if len(operands) == len(dynamic) == 2 and node.op_type == "Add":
        graph.env[node.output[0]] = Residual(*operands)
        return
    if len(dynamic) != 1 or not isinstance(values[0], Codes | Pending):
        raise UserError(f"{node.name}: {node.op_type} of unquantised tensors has no integer form; quantise its inputs")
    constant = None
    if node.op_type in BINARY_OPS:
        constant = _constant(model, node, graph, dynamic[0])
    op = ElementwiseOp(
        node.op_type, constant, constant_first=node.op_type in BINARY_OPS and node.input[1] == dynamic[0]
    )
    value = values[0]
    pending = value if isinstance(value, Pending) else Pending(value, ())
    graph.env[node.output[0]] = Pending(pending.source, (*pending.ops, op))


def _constant(model: ModelWrapper, node: NodeProto, graph: IntegerGraph, dynamic: str) -> NDArray[np.float32]:
    """The constant operand as [..., channels or 1, 1], with a leading axis if it differs between iterations."""
    name = node.input[0] if node.input[1] == dynamic else node.input[1]
    indexed = name in graph.indexed
    constant = graph.indexed[name] if indexed else model.get_initializer(name)
    if constant is None:
        raise UserError(f"{node.name}: operand {name} is neither a constant nor a quantised tensor")
    leading = (constant.shape[0],) if indexed else ()
    per_use = constant.shape[1:] if indexed else constant.shape
    if np.prod(per_use) == 1:
        return constant.reshape(*leading, 1, 1)
    rank = len(model.get_tensor_shape(node.output[0]))
    padded = (1,) * (rank - len(per_use)) + tuple(per_use)
    if np.prod(padded) != padded[1]:
        raise UserError(f"{node.name}: the constant {name} must be a scalar or per channel, not of shape {per_use}")
    return constant.reshape(*leading, padded[1], 1)


def lower_copy(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    if node.input[0] not in graph.env:
        raise UserError(f"{node.name}: {node.op_type} of a tensor that is not quantised has no integer form")
    graph.env[node.output[0]] = graph.env[node.input[0]]
