"""From a graph of integers to a graph of hardware nodes: FINN's RTL nodes and those of `custom_ops`."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from custom_ops.hardware import DOMAIN
from custom_ops.window_reduce.reference import Window
from finn_flow.errors import UserError
from finn_flow.transformations.convert_elementwise import (
    INDEX,
    convert_affine,
    convert_deinterleave,
    convert_interleave,
    convert_lookup,
    convert_select,
    convert_thresholds,
    convert_update,
)
from finn_flow.transformations.convert_layers import convert_conv, convert_matmul
from finn_flow.transformations.convert_windows import convert_max_pool, emit_windows
from finn_flow.transformations.hardware_graph import HardwareGraph
from finn_flow.transformations.interface import OutputForm, read_outputs


class ConvertToHardware(Transformation):
    """Turn the result of `LowerToIntegers` into hardware nodes, loop bodies included.

    Layout changes from NCHW to NHWC, so the new graph takes image codes [1, H, W, C]. Outputs are integers, channels
    last, or, where labels are selected (see `SelectLabels`), the positions of the largest of them from a TopK node at
    the end. All nodes start with the smallest folding (PE = SIMD = 1). Depthwise convolutions, state updates, pooling,
    TopK and loops become nodes of `custom_ops`; dense and pointwise convolutions, linear layers and thresholds become
    FINN's. Forks and width converters are not inserted here (see `InsertForks`, `InsertWidthConverters`).

    Raises
    ------
    UserError
        An operation or a shape that no hardware node covers; the message names the node and what is possible.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        if any(node.domain == DOMAIN for node in model.graph.node):
            return model, False
        hardware = HardwareGraph()
        entry = model.graph.input[0].name
        hardware.define_like(model, entry)
        _convert_nodes(model, hardware)
        forms = read_outputs(model)
        outputs = []
        for position, (value, form) in enumerate(zip(model.graph.output, forms, strict=True)):
            tensor = hardware.tensor(value.name)
            if tensor in hardware.orders:
                raise UserError(
                    f"output {form.name}: is a flattened map, whose values come pixel by pixel from the accelerator; "
                    "leave out the flattening in front of the last quantiser"
                )
            suffix = f"_{position}" if len(forms) > 1 else ""
            outputs.append(_select_labels(hardware, tensor, form, f"labels{suffix}") if form.labels else tensor)
        converted = hardware.build(model.graph.name, [entry], outputs)
        for prop in model.graph.metadata_props:
            converted.set_metadata_prop(prop.key, prop.value)
        return converted, False


def _select_labels(hardware: HardwareGraph, values: str, form: OutputForm, labels: str) -> str:
    *vectors, classes = hardware.shapes[values]
    hardware.emit(
        "TopK_rtl",
        [values],
        labels,
        Labels=classes,
        K=form.labels,
        PE=1,
        inputDataType=hardware.dtypes[values],
        numInputVectors=vectors,
    )
    hardware.define(labels, (*vectors, form.labels), DataType.get_smallest_possible(max(classes - 1, 2)).name)
    return labels


def _convert_nodes(model: ModelWrapper, hardware: HardwareGraph) -> None:
    for node in model.graph.node:
        converter = _CONVERTERS.get(node.op_type)
        if converter is None:
            raise UserError(f"{node.name}: there is no hardware node for {node.op_type}")
        converter(model, node, hardware)


def _convert_pool(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    x, output = hardware.tensor(node.input[0]), node.output[0]
    hardware.define_like(model, output)
    _, height, width, channels = hardware.shapes[x]
    # The node holds the sum of any values of the input's type, which may be wider than that of the codes that occur.
    given, sums = DataType[hardware.dtypes[x]], DataType[hardware.dtypes[output]]
    extreme = given.min() if given.signed() else given.max()
    widest = DataType.get_smallest_possible(height * width * extreme)
    if widest.bitwidth() > sums.bitwidth():
        hardware.define(output, hardware.shapes[output], widest.name)
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
    """Nothing in the stream changes, but for a map that is flattened: its pixels are gathered into one vector."""
    x, output = hardware.tensor(node.input[0]), node.output[0]
    _, height, width, channels = hardware.shapes[x]
    if height * width == 1 or len(model.get_tensor_shape(output)) > 2:
        hardware.aliases[output] = x
        return
    whole = Window((height, width), (1, 1), (1, 1), (0, 0, 0, 0))
    vector = emit_windows(node, hardware, x, whole)
    hardware.aliases[output] = vector
    # Features are numbered channel by channel in the graph of integers, and pixel by pixel in the stream.
    numbers = np.arange(channels * height * width).reshape(channels, height, width)
    hardware.orders[vector] = numbers.transpose(1, 2, 0).reshape(-1)


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
    "MultiThreshold": convert_thresholds,
    "PositionThreshold": convert_thresholds,
    "ChannelAffine": convert_affine,
    "Lookup": convert_lookup,
    "Conv": convert_conv,
    "MatMul": convert_matmul,
    "MaxPool": convert_max_pool,
    "ReduceSum": _convert_pool,
    "Reshape": _convert_reshape,
    "Interleave": convert_interleave,
    "Deinterleave": convert_deinterleave,
    "Select": convert_select,
    "ODEUpdate": convert_update,
    "ODELoop": _convert_loop,
}
