"""Hardware nodes of what is done to each element: thresholds, tables, state updates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.transformations.hardware_graph import HardwareGraph
from finn_flow.transformations.insert_fifos import MIN_DEPTH
from finn_flow.transformations.integer_graph import integer_type

INDEX = "index"
"""The body input that carries the iteration number to iteration-indexed thresholds."""


def convert_thresholds(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """Make thresholds, those of a loop that differ between iterations with an index."""
    x, output = hardware.tensor(node.input[0]), node.output[0]
    instance = getCustomOp(node)
    parameter = node.input[1]
    indexed = parameter in hardware.indexed
    positions = list(instance.get_nodeattr("positions")) if node.op_type == "PositionThreshold" else []
    values = hardware.indexed[parameter] if indexed else model.get_initializer(parameter)
    values = _in_stream_order(hardware, x, output, values)
    if positions:
        values = values.reshape(-1, *values.shape[-2:])
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
    if positions:
        attributes |= {"positions": positions, "iterations": 1, "channel_wise": int(values.shape[1] > 1)}
    if indexed:
        hardware.uses_index = True
        attributes |= {"iterations": hardware.iterations, "channel_wise": int(values.shape[1] > 1)}
        hardware.emit("IndexedThresholding_rtl", [x, parameter, INDEX], output, **attributes)
    elif positions:
        hardware.emit("PositionThresholding_rtl", [x, parameter], output, **attributes)
    else:
        hardware.emit("Thresholding_rtl", [x, parameter], output, exec_mode="cppsim", **attributes)


def convert_lookup(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """Make a table of codes."""
    x, output, parameter = hardware.tensor(node.input[0]), node.output[0], node.input[1]
    table = _in_stream_order(hardware, x, output, model.get_initializer(parameter))
    hardware.set_parameter(model, parameter, table)
    hardware.define_like(model, output)
    shape = hardware.shapes[output]
    hardware.emit(
        "Lookup_rtl",
        [x, parameter],
        output,
        NumChannels=shape[-1],
        PE=1,
        numInputVectors=list(shape[:-1]),
        entries=table.shape[-1],
        lowest=getCustomOp(node).get_nodeattr("lowest"),
        channel_wise=int(table.shape[0] > 1),
        inputDataType=hardware.dtypes[x],
        outputDataType=hardware.dtypes[output],
    )


def convert_affine(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """Make a factor and an offset per channel."""
    x, output, parameter = hardware.tensor(node.input[0]), node.output[0], node.input[1]
    hardware.set_parameter(model, parameter, model.get_initializer(parameter))
    hardware.define_like(model, output)
    constants = hardware.initializers[parameter].astype(np.int64)
    kind = DataType[hardware.dtypes[x]]
    ends = np.array([[int(kind.min())], [int(kind.max())]]) * constants[:, 0] + constants[:, 1]
    hardware.dtypes[output] = integer_type(int(ends.min()), int(ends.max()), signed=True)
    shape = hardware.shapes[output]
    hardware.emit(
        "ChannelAffine_rtl",
        [x, parameter],
        output,
        NumChannels=shape[-1],
        PE=1,
        numInputVectors=list(shape[:-1]),
        inputDataType=hardware.dtypes[x],
        constantDataType=hardware.dtypes[parameter],
        outputDataType=hardware.dtypes[output],
    )


def _in_stream_order(hardware: HardwareGraph, x: str, output: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Parameters [.., features or 1, n] in the order in which the features of `x` come, which `output` keeps."""
    order = hardware.orders.get(x)
    if order is None:
        return values
    hardware.orders[output] = order
    return values if values.shape[-2] == 1 else values[..., order, :]


def convert_update(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """Make a state update."""
    state, increment = (hardware.tensor(name) for name in node.input)
    output = node.output[0]
    instance = getCustomOp(node)
    if state in hardware.orders:
        hardware.orders[output] = hardware.orders[state]
    hardware.define_like(model, output)
    shape = hardware.shapes[output]
    hardware.emit(
        "ODEUpdate_rtl",
        [state, increment],
        output,
        NumChannels=shape[-1],
        PE=1,
        numInputVectors=list(shape[:-1]),
        stateDataType=hardware.dtypes[state],
        incrementDataType=hardware.dtypes[increment],
        outputDataType=hardware.dtypes[output],
        fraction_bits=instance.get_nodeattr("fraction_bits"),
        state_fraction_bits=instance.get_nodeattr("state_fraction_bits"),
        bounds=[instance.get_nodeattr("lowest"), instance.get_nodeattr("highest")],
    )


def convert_interleave(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """Make one stream of several, word by word."""
    inputs = [hardware.tensor(name) for name in node.input]
    hardware.define_like(model, node.output[0])
    shape = hardware.shapes[inputs[0]]
    if len(set(inputs)) == 1:
        inputs = _copies(hardware, inputs[0], len(inputs))
    hardware.emit(
        "Interleave_rtl",
        inputs,
        node.output[0],
        tensors=len(inputs),
        NumChannels=shape[-1],
        PE=1,
        numInputVectors=list(shape[:-1]),
        inputDataType=hardware.dtypes[inputs[0]],
    )


def _copies(hardware: HardwareGraph, x: str, count: int) -> list[str]:
    """Make copies of a stream for a node that reads it several times, which qonnx cannot name apart."""
    copies = [f"{x}_start{i}" for i in range(count)]
    *vectors, channels = hardware.shapes[x]
    dtype = hardware.dtypes[x]
    for copy in copies:
        hardware.define(copy, hardware.shapes[x], dtype)
    attributes = {"NumChannels": channels, "PE": 1, "numInputVectors": vectors, "inputDataType": dtype}
    fork = hardware.emit("Fork_rtl", [x], copies[0], NumOutputs=count, outFIFODepths=[MIN_DEPTH] * count, **attributes)
    fork.output.extend(copies[1:])
    return copies


def convert_deinterleave(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """Take one stream out of several that lie side by side."""
    x, output = hardware.tensor(node.input[0]), node.output[0]
    hardware.define_like(model, output)
    shape = hardware.shapes[output]
    instance = getCustomOp(node)
    hardware.emit(
        "Deinterleave_rtl",
        [x],
        output,
        tensors=instance.get_nodeattr("tensors"),
        position=instance.get_nodeattr("position"),
        NumChannels=shape[-1],
        PE=1,
        numInputVectors=list(shape[:-1]),
        inputDataType=hardware.dtypes[x],
    )


def convert_select(model: ModelWrapper, node: NodeProto, hardware: HardwareGraph) -> None:
    """Make a choice between two streams by the iteration."""
    first, second, parameter = (hardware.tensor(name) for name in node.input)
    output = node.output[0]
    hardware.define_like(model, output)
    hardware.set_parameter(model, parameter, hardware.indexed[parameter].reshape(-1))
    hardware.uses_index = True
    shape = hardware.shapes[output]
    hardware.emit(
        "Select_rtl",
        [first, second, parameter, INDEX],
        output,
        NumChannels=shape[-1],
        PE=1,
        numInputVectors=list(shape[:-1]),
        inputDataType=hardware.dtypes[output],
        iterations=hardware.iterations,
    )
