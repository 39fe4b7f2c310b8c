"""Falling functions behind a layer: the layer with its weights negated, so that they rise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.transformations.integer_graph import Codes, IntegerGraph, integer_type

_TRANSPARENT = frozenset({"Identity", "Cast"})


def negated_layer(
    model: ModelWrapper, node: NodeProto, source: Codes, flip: NDArray[np.bool_], graph: IntegerGraph
) -> Codes | None:
    """Add a layer that computes -source in the channels where `flip`; None if that would cost more than it saves.

    That is where nothing else needs the layer itself, and where the negated weights are no wider.
    """
    layer = next((one for one in graph.nodes if source.name in one.output), None)
    if layer is None or layer.op_type not in ("Conv", "MatMul") or readers(model, source.name) > 1:
        return None
    weights = graph.initializers[layer.input[1]]
    sign = np.where(flip, np.float32(-1), np.float32(1))
    negated = weights * (sign.reshape(-1, *[1] * (weights.ndim - 1)) if layer.op_type == "Conv" else sign)
    dtype = integer_type(int(negated.min()), int(negated.max()), signed=True)
    if dtype != graph.dtypes[layer.input[1]]:
        return None
    name = graph.fresh(f"{source.name}_negated")
    parameter = graph.add_parameter(f"{name}_weights", negated[np.newaxis], dtype)
    copy = NodeProto()
    copy.CopyFrom(layer)
    copy.input[:] = [layer.input[0], parameter]
    copy.output[:] = [name]
    lowest, highest = np.where(flip, -source.highest, source.lowest), np.where(flip, -source.lowest, source.highest)
    accumulator = integer_type(int(lowest.min()), int(highest.max()), signed=True)
    return graph.add(copy, source.shape, accumulator, source.scale, (lowest, highest))


def readers(model: ModelWrapper, name: str) -> int:
    """How many nodes and graph outputs read a tensor of the old graph, copies of it included."""
    count = sum(output.name == name for output in model.graph.output)
    for consumer in model.find_consumers(name) or []:
        if consumer.op_type in _TRANSPARENT:
            count += readers(model, consumer.output[0])
        else:
            count += 1
    return count
