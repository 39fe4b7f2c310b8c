"""Streamlining: a QONNX graph of quantised floats becomes a graph of integers with exactly the same results."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation
from qonnx.transformation.general import GiveReadableTensorNames, GiveUniqueNodeNames, SortGraph
from qonnx.util.basic import get_by_name, qonnx_make_model

from finn_flow.errors import UserError
from finn_flow.transformations.thresholds import (
    BINARY_OPS,
    UNARY_OPS,
    ElementwiseOp,
    Quantizer,
    compose,
    find_thresholds,
    is_decreasing,
)

LOGITS_SCALE = "logits_scale"
"""Metadata property of the lowered graph: the value of one code of its output."""


@dataclass(frozen=True)
class Codes:
    """A tensor of integers in the new graph; value = code · scale.

    ``scale`` is a scalar or [channels]; ``lowest`` and ``highest`` bound the codes likewise.
    """

    name: str
    scale: NDArray[np.float64]
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Pending:
    """A float tensor that is an elementwise function of codes; it exists until a quantiser turns it into thresholds."""

    source: Codes
    ops: tuple[ElementwiseOp, ...]


@dataclass(frozen=True)
class Residual:
    """The float sum of a state and an increment; it exists until the state quantiser takes it."""

    first: Codes
    second: Codes


@dataclass(frozen=True)
class Weights:
    """A constant: integer codes and their scale per output channel (or scalar)."""

    codes: NDArray[np.int64]
    scale: NDArray[np.float64]


@dataclass
class _Graph:
    """The graph under construction, and what is known of each tensor of the old one."""

    nodes: list[NodeProto] = field(default_factory=list)
    initializers: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    env: dict[str, Codes | Pending | Residual | Weights] = field(default_factory=dict)
    indexed: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    new_parameters: dict[str, NDArray[np.float32]] = field(default_factory=dict)


class LowerToIntegers(Transformation):
    """Replace every float tensor of a quantised graph by its integer codes, inside ODE loops as well.

    Weights become integer constants, and whatever elementwise arithmetic (batch-norm, time bias, step size, ReLU)
    stands between an integer tensor and a quantiser becomes a MultiThreshold whose thresholds are found by bisecting
    that very arithmetic (see `find_thresholds`). The state update stays ``Quant(z + inc·2^-k)``, on codes. Thresholds
    that differ between the iterations of a loop become one of its stacked parameters.

    Input of the new graph: image codes instead of values. Output: logit codes; the value of one code is the metadata
    property ``logits_scale``.

    Raises
    ------
    UserError : a tensor feeds a convolution without being quantised, a zero-point that is not 0, a state whose scale
        does not close, an operation that has no integer form. The message names the node.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        if model.get_metadata_prop(LOGITS_SCALE) is not None:
            return model, False
        graph = _Graph()
        outputs = _lower_graph(model, graph)
        if len(outputs) != 1 or len(model.graph.input) != 1:
            raise UserError("the graph must have one input and one output")
        scale = np.unique(outputs[0].scale)
        if scale.size != 1:
            raise UserError("the output has a scale per channel; quantise the last layer's weights per tensor")
        lowered = _build(graph, model, [model.graph.input[0].name], [outputs[0].name])
        lowered.set_metadata_prop(LOGITS_SCALE, repr(float(scale[0])))
        for prop in model.model.metadata_props:
            lowered.set_metadata_prop(prop.key, prop.value)
        return lowered, False


def _lower_graph(model: ModelWrapper, graph: _Graph) -> list[Codes]:
    for node in model.graph.node:
        handler = _HANDLERS.get(node.op_type)
        if node.op_type in BINARY_OPS or node.op_type in UNARY_OPS:
            handler = _lower_elementwise
        if handler is None:
            raise UserError(f"{node.name}: no integer form of {node.op_type} is known; remove it or quantise around it")
        handler(model, node, graph)
    outputs = []
    for output in model.graph.output:
        value = graph.env.get(output.name)
        if not isinstance(value, Codes):
            raise UserError(f"output {output.name}: must be a quantised tensor or the result of a quantised layer")
        outputs.append(value)
    return outputs


def _lower_quant(model: ModelWrapper, node: NodeProto, graph: _Graph) -> None:
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
        graph.env[node.output[0]] = _threshold(node, pending, quantizer, graph)


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


def _input_codes(model: ModelWrapper, node: NodeProto, quantizer: Quantizer, graph: _Graph) -> Codes:
    name = node.input[0]
    shape = tuple(model.get_tensor_shape(name))
    graph.shapes[name], graph.dtypes[name] = shape, quantizer.dtype_name
    return _codes(name, quantizer, shape)


def _codes(name: str, quantizer: Quantizer, shape: tuple[int, ...]) -> Codes:
    bounds = np.array(quantizer.lowest), np.array(quantizer.highest)
    return Codes(name, np.asarray(np.float64(quantizer.scale)), *bounds, shape)


def _threshold(node: NodeProto, pending: Pending, quantizer: Quantizer, graph: _Graph) -> Codes:
    source = pending.source
    channels = source.shape[1]
    lowest, highest = (np.broadcast_to(bound, (channels,))[:, None] for bound in (source.lowest, source.highest))
    scale = np.broadcast_to(source.scale, (channels,))[:, None]
    function = compose(scale, pending.ops)
    decreasing = is_decreasing(function, lowest, highest).reshape(-1, channels)
    flip = decreasing.any(axis=0)
    if flip.any():
        if not decreasing.all(axis=0)[flip].all():
            raise UserError(f"{node.name}: the factor before it changes its sign between iterations")
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
    graph.dtypes[parameter] = _integer_type(source.lowest.min(), thresholds.max(), signed)
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


def _negate_channels(node: NodeProto, source: Codes, flip: NDArray[np.bool_], graph: _Graph) -> Codes:
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


def _update_state(node: NodeProto, value: Residual, quantizer: Quantizer, graph: _Graph) -> Codes:
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


def _lower_elementwise(model: ModelWrapper, node: NodeProto, graph: _Graph) -> None:
    dynamic = [name for name in node.input if name in graph.env]
    values = [graph.env[name] for name in dynamic]
    if len(dynamic) == 2 and node.op_type == "Add" and all(isinstance(value, Codes) for value in values):
        graph.env[node.output[0]] = Residual(*values)
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


def _constant(model: ModelWrapper, node: NodeProto, graph: _Graph, dynamic: str) -> NDArray[np.float32]:
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


def _lower_conv(model: ModelWrapper, node: NodeProto, graph: _Graph) -> None:
    x, weights = _layer_operands(node, graph)
    if len(node.input) > 2:
        raise UserError(f"{node.name}: the bias of a convolution must be a separate Add before the quantiser")
    group = get_by_name(node.attribute, "group")
    per_group = 1 if group is None else group.i
    reshaped = weights.codes.reshape(weights.codes.shape[0], -1)
    if per_group not in (1, x.shape[1]):
        raise UserError(f"{node.name}: group must be 1 or the number of channels {x.shape[1]}, not {per_group}")
    _emit_layer(model, node, graph, x, weights, reshaped)


def _lower_matmul(model: ModelWrapper, node: NodeProto, graph: _Graph) -> None:
    x, weights = _layer_operands(node, graph)
    codes = weights.codes
    if node.op_type == "Gemm":
        options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if len(node.input) > 2 or options.get("alpha", 1.0) != 1.0 or options.get("transA", 0):
            raise UserError(f"{node.name}: only Gemm(x, weights) without bias, alpha and transA has an integer form")
        codes = codes.T if options.get("transB", 0) else codes
    plain = helper.make_node("MatMul", list(node.input), list(node.output), name=node.name)
    _emit_layer(model, plain, graph, x, Weights(codes, weights.scale), codes.T)


def _layer_operands(node: NodeProto, graph: _Graph) -> tuple[Codes, Weights]:
    x, weights = graph.env.get(node.input[0]), graph.env.get(node.input[1])
    if not isinstance(x, Codes) or x.scale.ndim:
        raise UserError(f"{node.name}: its input must be quantised with one scale; put a quantiser before it")
    if not isinstance(weights, Weights):
        raise UserError(f"{node.name}: its weights must be quantised constants; use a quantised layer")
    return x, weights


def _emit_layer(
    model: ModelWrapper, node: NodeProto, graph: _Graph, x: Codes, weights: Weights, rows: NDArray[np.int64]
) -> None:
    """Add the integer layer; ``rows`` holds the weights of each output channel, [channels, inputs]."""
    name = node.output[0]
    parameter = f"{name}_weights"
    graph.initializers[parameter] = weights.codes.astype(np.float32)
    graph.dtypes[parameter] = _integer_type(weights.codes.min(), weights.codes.max(), signed=True)
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
    graph.dtypes[name] = _integer_type(lowest.min(), highest.max(), signed=True)
    graph.env[name] = Codes(name, x.scale * weights.scale, lowest, highest, shape)


def _lower_pool(model: ModelWrapper, node: NodeProto, graph: _Graph) -> None:
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
    graph.dtypes[name] = _integer_type(lowest.min(), highest.max())
    graph.env[name] = Codes(name, scale, lowest, highest, shape)


def _axes(model: ModelWrapper, node: NodeProto) -> list[int]:
    attribute = get_by_name(node.attribute, "axes")
    if attribute is not None:
        return list(attribute.ints)
    axes = model.get_initializer(node.input[1]) if len(node.input) > 1 else None
    return [] if axes is None else [int(axis) for axis in axes]


def _lower_loop(model: ModelWrapper, node: NodeProto, graph: _Graph) -> None:
    state = graph.env.get(node.input[0])
    if not isinstance(state, Codes):
        raise UserError(f"{node.name}: the state that enters the loop is not quantised")
    instance = getCustomOp(node)
    body = instance.get_nodeattr("body")
    inner = _Graph()
    entry = body.graph.input[0].name
    inner.env[entry] = Codes(entry, state.scale, state.lowest, state.highest, state.shape)
    inner.shapes[entry], inner.dtypes[entry] = state.shape, graph.dtypes[state.name]
    for tensor, parameter in zip(body.graph.input[1:], node.input[1:], strict=True):
        inner.indexed[tensor.name] = model.get_initializer(parameter)
    (result,) = _lower_graph(body, inner)
    closes = result.scale == state.scale and result.lowest == state.lowest and result.highest == state.highest
    if not closes:
        raise UserError(
            f"{node.name}: the state enters with scale {float(state.scale):g} and codes {int(state.lowest)} to "
            f"{int(state.highest)} but leaves with scale {float(result.scale):g} and codes {int(result.lowest)} to "
            f"{int(result.highest)}; share one state quantiser"
        )
    stacked = []
    for name, parameter in inner.new_parameters.items():
        inner.shapes[name] = parameter.shape[1:]
        stacked.append(f"{node.output[0]}_{name}")
        graph.initializers[stacked[-1]] = parameter
        graph.dtypes[stacked[-1]] = inner.dtypes[name]
    lowered = _build(inner, body, [entry, *inner.new_parameters], [result.name])
    emitted = helper.make_node(node.op_type, [state.name, *stacked], list(node.output), node.name, domain=node.domain)
    graph.nodes.append(emitted)
    new_instance = getCustomOp(emitted)
    new_instance.set_nodeattr("iterations", instance.get_nodeattr("iterations"))
    new_instance.set_nodeattr("body", lowered)
    name = node.output[0]
    graph.shapes[name], graph.dtypes[name] = state.shape, inner.dtypes[result.name]
    graph.env[name] = Codes(name, state.scale, state.lowest, state.highest, state.shape)


def _lower_reshape(model: ModelWrapper, node: NodeProto, graph: _Graph) -> None:
    x = graph.env.get(node.input[0])
    shape = tuple(model.get_tensor_shape(node.output[0]))
    if not isinstance(x, Codes) or int(np.prod(x.shape[2:])) != 1 or shape[:2] != x.shape[:2]:
        raise UserError(f"{node.name}: only a pooled, quantised tensor [N, C, 1, 1] can be flattened")
    graph.initializers[f"{node.output[0]}_shape"] = np.array(shape, dtype=np.int64)
    graph.nodes.append(helper.make_node("Reshape", [x.name, f"{node.output[0]}_shape"], list(node.output)))
    graph.shapes[node.output[0]], graph.dtypes[node.output[0]] = shape, graph.dtypes[x.name]
    graph.env[node.output[0]] = Codes(node.output[0], x.scale, x.lowest, x.highest, shape)


def _lower_copy(model: ModelWrapper, node: NodeProto, graph: _Graph) -> None:
    if node.input[0] not in graph.env:
        raise UserError(f"{node.name}: {node.op_type} of a tensor that is not quantised has no integer form")
    graph.env[node.output[0]] = graph.env[node.input[0]]


_HANDLERS = {
    "Identity": _lower_copy,
    "Cast": _lower_copy,
    "Quant": _lower_quant,
    "IntQuant": _lower_quant,
    "Conv": _lower_conv,
    "MatMul": _lower_matmul,
    "Gemm": _lower_matmul,
    "ReduceSum": _lower_pool,
    "ReduceMean": _lower_pool,
    "GlobalAveragePool": _lower_pool,
    "ODELoop": _lower_loop,
    "Reshape": _lower_reshape,
    "Flatten": _lower_reshape,
}


def _integer_type(lowest: int, highest: int, signed: bool = False) -> str:
    """Name of the smallest INT (or UINT, unless ``signed``) that holds both bounds."""
    if lowest >= 0 and not signed:
        return str(DataType.get_smallest_possible(max(int(highest), 1)).name).replace("BINARY", "UINT1")
    return f"INT{1 + max(int(highest).bit_length(), (-int(lowest) - 1).bit_length() if lowest < 0 else 0, 1)}"


def _build(graph: _Graph, old: ModelWrapper, inputs: list[str], outputs: list[str]) -> ModelWrapper:
    def value_info(tensor: str) -> object:
        return helper.make_tensor_value_info(tensor, TensorProto.FLOAT, graph.shapes[tensor])

    proto = helper.make_graph(
        graph.nodes, old.graph.name, [value_info(t) for t in inputs], [value_info(t) for t in outputs]
    )
    model = ModelWrapper(qonnx_make_model(proto, opset_imports=list(old.model.opset_import)))
    for tensor, value in graph.initializers.items():
        model.set_initializer(tensor, value)
    for tensor, shape in graph.shapes.items():
        model.set_tensor_shape(tensor, list(shape))
    for tensor, dtype in graph.dtypes.items():
        model.set_tensor_datatype(tensor, DataType[dtype])
    for transformation in (SortGraph(), GiveUniqueNodeNames(), GiveReadableTensorNames()):
        model = model.transform(transformation)
    return model
