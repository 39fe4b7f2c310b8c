"""Batch-norm as a factor and an offset per channel, which may differ between iterations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.transformations.batch_norms import BatchNorm
from finn_flow.transformations.elementwise import Operation
from finn_flow.transformations.integer_graph import Codes, IntegerGraph, Pending
from finn_flow.transformations.layer_windows import attributes
from finn_flow.transformations.lower_elementwise import as_pending, constant_layout


def lower_batch_norm(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Multiply and add in float32, as ONNX Runtime and QONNX's `BatchNormToAffine` do."""
    value = graph.env.get(node.input[0])
    if not isinstance(value, Codes | Pending):
        raise UserError(f"{node.name}: a batch-norm of an unquantised tensor has no integer form; quantise its input")
    pending = as_pending(value)
    scale, bias, mean, variance = (_parameter(model, node, name, graph) for name in node.input[1:5])
    epsilon = np.float32(attributes(node).get("epsilon", 1e-5))
    _note(graph, scale, bias, mean, variance, np.asarray(epsilon))
    factor = scale / np.sqrt(epsilon + variance)
    offset = bias - factor * mean
    scaled = Operation(helper.make_node("Mul", [], [], name=node.name), (pending.expression, factor))
    shifted = Operation(helper.make_node("Add", [], [], name=node.name), (scaled, offset))
    graph.env[node.output[0]] = Pending(pending.sources, shifted, pending.shape, pending.positions)


def _note(graph: IntegerGraph, *parameters: NDArray[np.float32]) -> None:
    """Keep the parameters, [iterations or 1, 1, channels or 1, 1] each, from which factor and offset are computed."""
    scale, bias, mean, variance, epsilon = parameters
    if len(scale) > 1 or len(bias) > 1:
        return  # not the statistics alone differ between the iterations
    channels = max(part.shape[2] for part in (scale, bias, mean, variance))
    rows = max(len(mean), len(variance))
    scale, bias = (np.broadcast_to(part[0, 0, :, 0], (channels,)).copy() for part in (scale, bias))
    mean, variance = (np.broadcast_to(part[:, 0, :, 0], (rows, channels)).copy() for part in (mean, variance))
    shift, gain, zero = np.zeros((rows, channels), np.float32), np.ones(rows, np.float32), np.array(0)
    every = np.arange(rows)
    norm = BatchNorm(scale, bias, shift, gain, epsilon, zero, every, mean, variance)
    graph.batch_norms.append(norm)


def _parameter(model: ModelWrapper, node: NodeProto, name: str, graph: IntegerGraph) -> NDArray[np.float32]:
    indexed = name in graph.indexed
    value = graph.indexed[name] if indexed else model.get_initializer(name)
    if value is None:
        raise UserError(f"{node.name}: its parameter {name} must be a constant")
    return constant_layout(node, name, np.asarray(value, dtype=np.float32), 2, indexed)
