"""From a graph of integers to a graph of hardware nodes: FINN's RTL nodes and those of `custom_ops`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation
from qonnx.util.basic import get_by_name

from custom_ops.hardware import DOMAIN
from finn_flow.errors import UserError
from finn_flow.transformations.hardware_graph import HardwareGraph

INDEX = "index"
"""The body input that carries the iteration number to iteration-indexed thresholds."""


class ConvertToHardware(Transformation):
    """Turn the result of `LowerToIntegers` into hardware nodes, loop bodies included.

    Layout changes from NCHW to NHWC, so the new graph takes image codes [1, H, W, C]. Its output is the index of the
    largest logit, [1, 1, 1, 1], from a TopK node at the end. All nodes start with the smallest folding
    (PE = SIMD = 1). Depthwise convolutions, state updates, pooling, TopK and loops become nodes of `custom_ops`; dense
    and pointwise convolutions, linear layers and thresholds become FINN's. Forks and width converters are not inserted
    here (see `InsertForks`, `InsertWidthConverters`).

    Raises
    ------
    UserError : an operation or a shape that no hardware node covers; the message names the node and what is possible.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        if any(node.domain == DOMAIN for node in model.graph.node):
            return model, False
        hardware = HardwareGraph()
        entry = model.graph.input[0].name
        hardware.define_like(model, entry)
        _convert_nodes(model, hardware)
        logits = hardware.tensor(model.graph.output[0].name)
        classes = hardware.shapes[logits][-1]
        hardware.emit(
            "TopK_rtl",
            [logits],
            "labels",
            Labels=classes,
            K=1,
            PE=1,
            inputDataType=hardware.dtypes[logits],
            numInputVectors=[1, 1, 1],
        )
        hardware.define("labels", (1, 1, 1, 1), DataType.get_smallest_possible(max(classes - 1, 2)).name)
        converted = hardware.build(model.graph.name, [entry], ["labels"])
        for prop in model.graph.metadata_props:
            converted.set_metadata_prop(prop.key, prop.value)
        return converted, False


def _convert_nodes(model: ModelWrapper, hardware: HardwareGraph) -> None:
    for node in model.graph.node:
        converter = _CONVERTERS.get(node.op_type)
        if converter is None:
            raise UserError(f"{node.name}: there is no hardware node for {node.op_type}")
        converter(model, node, hardware)


def _convert_thresholds(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    x, output = hardware.tensor(node.input[0]), node.output[0]
    instance = getCustomOp(node)
    parameter = node.input[1]
    indexed = parameter in hardware.indexed
    values = hardware.indexed[parameter] if indexed else model.get_initializer(parameter)
    hardware.set_parameter(model, parameter, values)
    hardware.define_like(model, output)
    shape = hardware.shapes[output]
    attributes = {
        "NumChannels": shape[-1],
        "PE": 1,
        "numSteps": values.shape[-1],
        "inputDataType": hardware.dtypes[x],
        "weightDataType": hardware.dtypes[parameter],
        "outputDataType": hardware.dtypes[output],
        "numInputVectors": list(shape[:-1]),
        "ActVal": int(instance.get_nodeattr("out_bias")),
    }
    if indexed:
        hardware.uses_index = True
        attributes |= {"iterations": hardware.iterations, "channel_wise": int(values.shape[1] > 1)}
        hardware.emit("IndexedThresholding_rtl", [x, parameter, INDEX], output, **attributes)
    else:
        hardware.emit("Thresholding_rtl", [x, parameter], output, exec_mode="cppsim", **attributes)


def _convert_conv(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    x, output = hardware.tensor(node.input[0]), node.output[0]
    weights = model.get_initializer(node.input[1])
    channels = hardware.shapes[x][-1]
    out_channels, per_group, *kernel = weights.shape
    stride, pads = _ints(node, "strides", [1, 1]), _ints(node, "pads", [0, 0, 0, 0])
    if kernel[0] != kernel[1] or stride[0] != stride[1] or set(_ints(node, "dilations", [1, 1])) != {1}:
        raise UserError(f"{node.name}: kernel and stride must be square and dilation 1, not {kernel} and {stride}")
    if set(pads) != {kernel[0] // 2}:
        raise UserError(f"{node.name}: padding must be kernel // 2 = {kernel[0] // 2} on every side, not {pads}")
    hardware.define_like(model, output)
    if per_group == 1 and out_channels == channels > 1:
        _emit_depthwise(model, node, hardware, x, weights.reshape(channels, *kernel), stride[0])
        return
    if per_group != channels:
        raise UserError(f"{node.name}: grouped convolutions other than depthwise have no hardware node")
    windows = x if kernel[0] == 1 and stride[0] == 1 else _emit_windows(node, hardware, x, kernel[0], stride[0])
    matrix = weights.transpose(2, 3, 1, 0).reshape(-1, out_channels)
    _emit_mvau(model, node, hardware, windows, matrix)


def _emit_depthwise(
    model: ModelWrapper, node: NodeProto, hardware: HardwareGraph, x: str, weights: NDArray[np.float32], stride: int
) -> None:
    parameter, output = node.input[1], node.output[0]
    hardware.set_parameter(model, parameter, weights)
    _, height, width, channels = hardware.shapes[x]
    hardware.emit(
        "DepthwiseConv_rtl",
        [x, parameter],
        output,
        NumChannels=channels,
        PE=1,
        IFMDim=[height, width],
        Kernel=weights.shape[-1],
        Stride=stride,
        inputDataType=hardware.dtypes[x],
        weightDataType=hardware.dtypes[parameter],
        outputDataType=hardware.dtypes[output],
    )


def _emit_windows(node: NodeProto, hardware: HardwareGraph, x: str, kernel: int, stride: int) -> str:
    """Padding and sliding window of a dense convolution; returns the tensor [1, Ho, Wo, K·K·C]."""
    _, height, width, channels = hardware.shapes[x]
    _, out_height, out_width, _ = hardware.shapes[node.output[0]]
    pad = kernel // 2
    if pad:
        padded = f"{node.output[0]}_padded"
        hardware.define(padded, (1, height + 2 * pad, width + 2 * pad, channels), hardware.dtypes[x])
        hardware.emit(
            "FMPadding_rtl",
            [x],
            padded,
            ImgDim=[height, width],
            Padding=[pad] * 4,
            NumChannels=channels,
            SIMD=1,
            inputDataType=hardware.dtypes[x],
            exec_mode="cppsim",
        )
        x = padded
    windows = f"{node.output[0]}_windows"
    hardware.define(windows, (1, out_height, out_width, kernel * kernel * channels), hardware.dtypes[x])
    hardware.emit(
        "ConvolutionInputGenerator_rtl",
        [x],
        windows,
        ConvKernelDim=[kernel, kernel],
        IFMChannels=channels,
        IFMDim=list(hardware.shapes[x][1:3]),
        OFMDim=[out_height, out_width],
        SIMD=1,
        Stride=[stride, stride],
        Dilation=[1, 1],
        inputDataType=hardware.dtypes[x],
        outputDataType=hardware.dtypes[x],
        exec_mode="cppsim",
    )
    return windows


def _convert_matmul(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    hardware.define_like(model, node.output[0])
    _emit_mvau(model, node, hardware, hardware.tensor(node.input[0]), model.get_initializer(node.input[1]))


def _emit_mvau(
    model: ModelWrapper, node: NodeProto, hardware: HardwareGraph, x: str, matrix: NDArray[np.float32]
) -> None:
    parameter, output = node.input[1], node.output[0]
    hardware.set_parameter(model, parameter, matrix)
    hardware.emit(
        "MVAU_rtl",
        [x, parameter],
        output,
        MW=matrix.shape[0],
        MH=matrix.shape[1],
        PE=1,
        SIMD=1,
        noActivation=1,
        inputDataType=hardware.dtypes[x],
        weightDataType=hardware.dtypes[parameter],
        outputDataType=hardware.dtypes[output],
        accDataType=hardware.dtypes[output],
        numInputVectors=list(hardware.shapes[output][:-1]),
        mem_mode="internal_decoupled",
        resType="dsp",
        exec_mode="cppsim",
    )


def _convert_pool(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    x, output = hardware.tensor(node.input[0]), node.output[0]
    hardware.define_like(model, output)
    _, height, width, channels = hardware.shapes[x]
    hardware.emit(
        "GlobalSumPool_rtl",
        [x],
        output,
        NumChannels=channels,
        PE=1,
        ImgDim=[height, width],
        inputDataType=hardware.dtypes[x],
        outputDataType=hardware.dtypes[output],
    )


def _convert_reshape(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    hardware.aliases[node.output[0]] = hardware.tensor(node.input[0])


def _convert_align(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """``Mul`` and ``Add`` of a state update: the update itself is emitted at its Quant node."""


def _convert_update(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    add = model.find_producer(node.input[0])
    align = None if add is None else model.find_producer(add.input[1])
    if add is None or add.op_type != "Add" or align is None or align.op_type != "Mul":
        raise UserError(f"{node.name}: only the state update Quant(z + inc·2^-k) has a hardware node")
    instance = getCustomOp(node)
    if instance.get_nodeattr("rounding_mode") not in ("ROUND", "HALF_EVEN") or instance.get_nodeattr("narrow"):
        raise UserError(f"{node.name}: the state quantiser must round half to even and use its full range")
    state, increment, output = hardware.tensor(add.input[0]), hardware.tensor(align.input[0]), node.output[0]
    factor = float(model.get_initializer(align.input[1]))
    hardware.define_like(model, output)
    shape = hardware.shapes[output]
    hardware.emit(
        "ODEUpdate_rtl",
        [state, increment],
        output,
        NumChannels=shape[-1],
        PE=1,
        numInputVectors=list(shape[:-1]),
        stateDataType=hardware.dtypes[output],
        incrementDataType=hardware.dtypes[increment],
        fraction_bits=int(-np.log2(factor)),
    )


def _convert_loop(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    x, output = hardware.tensor(node.input[0]), node.output[0]
    instance = getCustomOp(node)
    body = instance.get_nodeattr("body")
    inner = HardwareGraph(iterations=instance.get_nodeattr("iterations"))
    entry, *parameters = [value.name for value in body.graph.input]
    for name, parameter in zip(parameters, node.input[1:], strict=True):
        inner.indexed[name] = model.get_initializer(parameter)
    inner.define_like(body, entry)
    _convert_nodes(body, inner)
    inputs = [entry]
    if inner.uses_index:
        inner.define(INDEX, (1,), DataType.get_smallest_possible(inner.iterations - 1).name)
        inputs.append(INDEX)
    converted = inner.build(body.graph.name, inputs, [inner.tensor(body.graph.output[0].name)])
    hardware.define_like(model, output)
    emitted = hardware.emit(
        "ODELoop_rtl",
        [x],
        output,
        iterations=inner.iterations,
        PE=1,
        inputDataType=hardware.dtypes[x],
        outputDataType=hardware.dtypes[output],
        body=converted.graph,
    )
    emitted.name = node.name


_CONVERTERS = {
    "MultiThreshold": _convert_thresholds,
    "Conv": _convert_conv,
    "MatMul": _convert_matmul,
    "ReduceSum": _convert_pool,
    "Reshape": _convert_reshape,
    "Mul": _convert_align,
    "Add": _convert_align,
    "Quant": _convert_update,
    "ODELoop": _convert_loop,
}


def _ints(node: NodeProto, name: str, default: list[int]) -> list[int]:
    attribute = get_by_name(node.attribute, name)
    return default if attribute is None else list(attribute.ints)
