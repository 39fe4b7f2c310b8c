"""Hardware nodes of layers with weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.transformations.convert_windows import emit_reduction, emit_windows
from finn_flow.transformations.hardware_graph import HardwareGraph
from finn_flow.transformations.layer_windows import attributes, window_of


def convert_conv(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """Make a depthwise convolution, or windows and a matrix-vector unit, with zeros between groups of channels."""
    x, output = hardware.tensor(node.input[0]), node.output[0]
    weights = model.get_initializer(node.input[1])
    channels = hardware.shapes[x][-1]
    out_channels, per_group = weights.shape[:2]
    window = window_of(node, weights.shape[2:])
    weights = weights.reshape(out_channels, per_group, *window.kernel)
    hardware.define_like(model, output)
    if per_group == 1 and out_channels == channels and (channels > 1 or np.all(weights == 1)):
        kernel = window.kernel[0]
        standard = (
            window.kernel == (kernel, kernel)
            and kernel in (3, 5)
            and window.stride in ((1, 1), (2, 2))
            and window.dilation == (1, 1)
            and set(window.padding) == {kernel // 2}
            and min(hardware.shapes[x][1:3]) > kernel // 2
            and DataType[hardware.dtypes[x]].bitwidth() <= 12
        )
        if standard:
            _emit_depthwise(model, node, hardware, x, weights[:, 0], window.stride[0])
        elif np.all(weights == 1):
            emit_reduction(hardware, x, output, window, "sum")
        else:
            hardware.set_parameter(model, node.input[1], weights[:, 0])
            emit_reduction(hardware, x, output, window, "dot", node.input[1])
        return
    full = _ungrouped(weights, attributes(node).get("group", 1))
    windows = emit_windows(node, hardware, x, window)
    _emit_mvau(model, node, hardware, windows, full.transpose(2, 3, 1, 0).reshape(-1, out_channels))


def _ungrouped(weights: NDArray[np.float32], groups: int) -> NDArray[np.float32]:
    """Weights [O, C / groups, KH, KW] as those of all channels, zero outside of each group."""
    outputs, per_group, *kernel = weights.shape
    full = np.zeros((groups, outputs // groups, groups, per_group, *kernel), dtype=weights.dtype)
    for group, part in enumerate(weights.reshape(groups, outputs // groups, per_group, *kernel)):
        full[group, :, group] = part
    return full.reshape(outputs, groups * per_group, *kernel)


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


def convert_matmul(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """Make a matrix-vector unit; behind a flattened map its rows come in the order of the stream."""
    x, matrix = hardware.tensor(node.input[0]), model.get_initializer(node.input[1])
    hardware.define_like(model, node.output[0])
    if x in hardware.orders:
        matrix = matrix[hardware.orders[x]]
    _emit_mvau(model, node, hardware, x, matrix)


def _emit_mvau(
    model: ModelWrapper, node: NodeProto, hardware: HardwareGraph, x: str, matrix: NDArray[np.float32]
) -> None:
    parameter, output = node.input[1], node.output[0]
    hardware.set_parameter(model, parameter, matrix)
    accumulator = DataType[hardware.dtypes[output]].bitwidth()
    product = DataType[hardware.dtypes[parameter]].bitwidth() + DataType[hardware.dtypes[x]].bitwidth()
    hardware.dtypes[output] = f"INT{max(accumulator, product)}"  # FINN's core demands that any product fits
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
