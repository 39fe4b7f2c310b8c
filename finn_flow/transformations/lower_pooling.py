"""Integer forms of pooling: sums, whose division goes into the scale, and maxima."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.transformations.integer_graph import Codes, IntegerGraph, integer_type
from finn_flow.transformations.layer_windows import attributes
from finn_flow.transformations.lower_layers import check_explicit_padding


def lower_whole_map_pool(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Sum or mean over all pixels, however it is written; a mean's division goes into the scale."""
    x = pooled_operand(node, graph)
    spatial = list(range(2, len(x.shape)))
    axes = spatial if node.op_type == "GlobalAveragePool" else _axes(model, node, len(x.shape))
    if axes != spatial:
        raise UserError(
            f"{node.name}: must reduce all of axes {spatial} of {list(x.shape)} at once, not {axes}; pool over height "
            "and width together"
        )
    keep = attributes(node).get("keepdims", 1) or node.op_type == "GlobalAveragePool"
    _emit_sum(node, x, bool(keep), node.op_type != "ReduceSum", graph)


def _emit_sum(node: NodeProto, x: Codes, keep: bool, mean: bool, graph: IntegerGraph) -> None:
    name = node.output[0]
    pixels = int(np.prod(x.shape[2:]))
    shape = (*x.shape[:2], *[1] * (len(x.shape) - 2)) if keep else x.shape[:2]
    graph.initializers[f"{name}_axes"] = np.arange(2, len(x.shape), dtype=np.int64)
    summed = helper.make_node("ReduceSum", [x.name, f"{name}_axes"], [name], keepdims=int(keep))
    lowest, highest = x.lowest * pixels, x.highest * pixels
    dtype = integer_type(int(lowest.min()), int(highest.max()))
    graph.env[name] = graph.add(summed, shape, dtype, x.scale / (pixels if mean else 1), (lowest, highest))


def lower_average_pool(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Sum over each window; the division goes into the scale."""
    x = pooled_operand(node, graph)
    shape = tuple(model.get_tensor_shape(node.output[0]))
    options = attributes(node)
    kernel, pads = list(options["kernel_shape"]), list(options.get("pads", [0] * 2 * (len(x.shape) - 2)))
    if kernel == list(x.shape[2:]) and not any(pads):
        _emit_sum(node, x, True, True, graph)
        return
    if any(pads) and not options.get("count_include_pad", 0):
        raise UserError(
            f"{node.name}: windows at the border have another divisor (count_include_pad=0 with pads {pads}); average "
            "without padding or with count_include_pad=True"
        )
    _check_window(node, x, shape)
    taps = int(np.prod(kernel))
    name = node.output[0]
    weights = np.ones((x.channels, 1, *kernel), dtype=np.int64)
    parameter = graph.add_parameter(f"{name}_weights", weights[np.newaxis], "INT2")
    copied = {key: options[key] for key in ("kernel_shape", "strides", "pads", "dilations") if key in options}
    conv = helper.make_node("Conv", [x.name, parameter], [name], name=node.name, group=x.channels, **copied)
    low, high = np.minimum(x.lowest, 0) * taps, np.maximum(x.highest, 0) * taps
    dtype = integer_type(int(low.min()), int(high.max()), signed=True)
    graph.env[name] = graph.add(conv, shape, dtype, x.scale / taps, (low, high))


def lower_max_pool(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Maximum over each window, on codes: they are ordered as the values are."""
    x = pooled_operand(node, graph)
    shape = tuple(model.get_tensor_shape(node.output[0]))
    options = attributes(node)
    if node.op_type == "GlobalMaxPool":
        options = {"kernel_shape": x.shape[2:]}
    if any(options.get("pads", [])) and int(x.lowest.min()) < 0:
        raise UserError(
            f"{node.name}: pads a signed tensor, where the padding would have to be below all codes; pool behind an "
            "unsigned quantiser (a ReLU's), or without padding"
        )
    if len(node.output) > 1 and node.output[1]:
        raise UserError(f"{node.name}: only the maxima have an integer form, not their positions")
    _check_window(node, x, shape)
    copied = {key: options[key] for key in ("kernel_shape", "strides", "pads", "dilations") if key in options}
    emitted = helper.make_node("MaxPool", [x.name], [node.output[0]], name=node.name, **copied)
    dtype = graph.dtypes[x.name]
    graph.env[node.output[0]] = graph.add(emitted, shape, dtype, x.scale, (x.lowest, x.highest))


def pooled_operand(node: NodeProto, graph: IntegerGraph) -> Codes:
    """Return the codes that a node pools.

    Raises
    ------
    UserError
        Its input is not quantised or no feature map.
    """
    x = graph.env.get(node.input[0])
    if not isinstance(x, Codes) or len(x.shape) not in (3, 4):
        raise UserError(f"{node.name}: its input must be a quantised feature map; put a quantiser before it")
    return x


def _check_window(node: NodeProto, x: Codes, shape: tuple[int, ...]) -> None:
    check_explicit_padding(node)
    options = attributes(node)
    if not options.get("ceil_mode", 0):
        return
    axes = len(x.shape) - 2
    pads, strides = options.get("pads", [0] * 2 * axes), options.get("strides", [1] * axes)
    dilations = options.get("dilations", [1] * axes)
    for axis, kernel in enumerate(options["kernel_shape"]):
        span = x.shape[2 + axis] + pads[axis] + pads[axis + axes] - dilations[axis] * (kernel - 1) - 1
        if shape[2 + axis] != span // strides[axis] + 1:
            raise UserError(f"{node.name}: its last window reaches beyond the map (ceil_mode=1); use ceil_mode=False")


def _axes(model: ModelWrapper, node: NodeProto, rank: int) -> list[int]:
    found = attributes(node).get("axes")
    if found is None and len(node.input) > 1:
        found = model.get_initializer(node.input[1])
    return list(range(rank)) if found is None else sorted(int(axis) % rank for axis in np.ravel(found))
