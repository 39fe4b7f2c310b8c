"""Hardware nodes of sliding windows: for matrix-vector units, and reduced channel by channel."""

from __future__ import annotations

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.window_reduce.reference import Window
from finn_flow.errors import UserError
from finn_flow.finn_adapter.window_generator import can_generate_windows
from finn_flow.transformations.hardware_graph import HardwareGraph
from finn_flow.transformations.layer_windows import attributes, window_of


def convert_max_pool(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """Make a maximum over windows."""
    x, output = hardware.tensor(node.input[0]), node.output[0]
    hardware.define_like(model, output)
    emit_reduction(hardware, x, output, window_of(node, attributes(node)["kernel_shape"]), "max")


def emit_reduction(
    hardware: HardwareGraph, x: str, output: str, window: Window, operation: str, weights: str | None = None
) -> None:
    """Reduce windows channel by channel; `weights` names those of operation "dot"."""
    _, height, width, channels = hardware.shapes[x]
    types = {} if weights is None else {"weightDataType": hardware.dtypes[weights]}
    hardware.emit(
        "WindowReduce_rtl",
        [x] if weights is None else [x, weights],
        output,
        NumChannels=channels,
        PE=1,
        IFMDim=[height, width],
        operation=operation,
        KernelDim=list(window.kernel),
        Stride=list(window.stride),
        Dilation=list(window.dilation),
        Padding=list(window.padding),
        inputDataType=hardware.dtypes[x],
        outputDataType=hardware.dtypes[output],
        **types,
    )


def emit_windows(node: NodeProto, hardware: HardwareGraph, x: str, window: Window) -> str:
    """Emit padding and sliding windows of a dense convolution; return the tensor [1, OH, OW, KH·KW·C]."""
    if window.kernel == window.stride == (1, 1) and not any(window.padding):
        return x
    _, height, width, channels = hardware.shapes[x]
    rows, columns = window.output_size((height, width))
    if min(rows, columns) < 1:
        raise UserError(f"{node.name}: its window {list(window.kernel)} does not fit its input {height}x{width}")
    top, left, bottom, right = window.padding
    if any(window.padding):
        padded = f"{node.output[0]}_padded"
        hardware.define(padded, (1, height + top + bottom, width + left + right, channels), hardware.dtypes[x])
        hardware.emit(
            "FMPadding_rtl",
            [x],
            padded,
            ImgDim=[height, width],
            Padding=list(window.padding),
            NumChannels=channels,
            SIMD=1,
            inputDataType=hardware.dtypes[x],
            exec_mode="cppsim",
        )
        x = padded
    windows = f"{node.output[0]}_windows"
    taps = window.kernel[0] * window.kernel[1]
    hardware.define(windows, (1, rows, columns, taps * channels), hardware.dtypes[x])
    generator = hardware.emit(
        "ConvolutionInputGenerator_rtl",
        [x],
        windows,
        ConvKernelDim=list(window.kernel),
        IFMChannels=channels,
        IFMDim=list(hardware.shapes[x][1:3]),
        OFMDim=[rows, columns],
        SIMD=1,
        Stride=[min(step, size) for step, size in zip(window.stride, hardware.shapes[x][1:3], strict=True)],
        Dilation=list(window.dilation),
        inputDataType=hardware.dtypes[x],
        outputDataType=hardware.dtypes[x],
        exec_mode="cppsim",
    )
    if not any(can_generate_windows(generator, *folding) for folding in ((1, 0), (channels, 0), (channels, 1))):
        raise UserError(
            f"{node.name}: FINN cannot generate {rows}x{columns} windows of {list(window.kernel)} pixels with stride "
            f"{list(window.stride)} and {channels} channels; use more channels, another stride or a larger map"
        )
    return windows
