"""Integer forms of quantisers and of the elementwise functions before them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.transformations.elementwise import evaluate, is_monotone
from finn_flow.transformations.integer_graph import (
    Codes,
    IntegerGraph,
    Pending,
    Positions,
    Stacked,
    Weights,
    integer_type,
)
from finn_flow.transformations.lower_elementwise import as_pending
from finn_flow.transformations.lower_sums import lower_sum
from finn_flow.transformations.negate_weights import negated_layer
from finn_flow.transformations.normalised_codes import note_normalisation
from finn_flow.transformations.quantiser import Quantiser, read_quantiser
from finn_flow.transformations.step_nodes import emit_steps
from finn_flow.transformations.thresholds import CodeFunction, Steps, all_values, falls, steps_of_any, steps_of_monotone

MOST_CODES = 1 << 20
"""Codes, of all channels and iterations, of which a function of any form is looked at one by one."""


def lower_quant(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Turn a quantiser and the function before it into integers; of a constant, into weights."""
    operand = node.input[0]
    constant = model.get_initializer(operand)
    if constant is not None:
        graph.env[node.output[0]] = _weights(model, node, constant)
        return
    quantiser = read_quantiser(model, node)
    value = graph.env.get(operand)
    if value is None:
        graph.env[node.output[0]] = _input_codes(model, node, quantiser, graph)
    elif isinstance(value, Stacked):
        graph.env[node.output[0]] = Stacked(
            tuple(_lower_part(model, node, part, quantiser, graph) for part in value.parts)
        )
    elif isinstance(value, Weights):
        raise UserError(f"{node.name}: quantises a constant twice; leave out one of the quantisers")
    else:
        pending = as_pending(value)
        lower = _lower_function if len(pending.sources) == 1 else lower_sum
        graph.env[node.output[0]] = lower(model, node, pending, quantiser, graph)


def _lower_part(
    model: ModelWrapper, node: NodeProto, part: Codes | NDArray[np.float32], quantiser: Quantiser, graph: IntegerGraph
) -> Codes | NDArray[np.float32]:
    if isinstance(part, Codes):
        return _lower_function(model, node, as_pending(part), quantiser, graph)
    if quantiser.scale.size != 1:
        raise UserError(f"{node.name}: quantises constant channels with a scale for each; use one scale")
    scale = quantiser.scale.reshape(())
    return np.asarray(Quantiser.codes(replace(quantiser, scale=scale), part) * scale, dtype=np.float32)


def _weights(model: ModelWrapper, node: NodeProto, constant: NDArray[np.float32]) -> Weights:
    parameters = [model.get_initializer(name) for name in node.input[1:]]
    if any(parameter is None for parameter in parameters):
        raise UserError(f"{node.name}: scale, zero-point and bit width of weights must be constants")
    if len(parameters) > 1 and np.any(parameters[1] != 0):
        raise UserError(f"{node.name}: the zero-point of weights must be 0; use a symmetric quantiser")
    scale = parameters[0]
    context = {name: model.get_initializer(name) for name in node.input}
    getCustomOp(node).execute_node(context, model.graph)
    values = context[node.output[0]]
    codes = np.rint(values / scale).astype(np.int64)
    per_channel = scale.astype(np.float64).reshape(-1) if scale.size > 1 else np.float64(scale.reshape(-1)[0])
    return Weights(codes, np.asarray(per_channel), values.astype(np.float32))


def _input_codes(model: ModelWrapper, node: NodeProto, quantiser: Quantiser, graph: IntegerGraph) -> Codes:
    name = node.input[0]
    if quantiser.zero_point != 0:
        raise UserError(
            f"{node.name}: the zero-point must be 0, not {quantiser.zero_point}, at the network's input; use a "
            "symmetric quantiser"
        )
    if quantiser.scale.size != 1 or quantiser.bipolar:
        raise UserError(f"{node.name}: the network's input needs one scale and at least two bits")
    shape = tuple(model.get_tensor_shape(name))
    graph.shapes[name], graph.dtypes[name] = shape, f"{'INT' if quantiser.signed else 'UINT'}{max(quantiser.bits, 2)}"
    bounds = np.array(quantiser.lowest), np.array(quantiser.highest)
    return graph.know(Codes(name, np.asarray(np.float64(quantiser.scale.item())), *bounds, shape))


def _lower_function(
    model: ModelWrapper, node: NodeProto, pending: Pending, quantiser: Quantiser, graph: IntegerGraph
) -> Codes:
    """Thresholds, a table, or thresholds and a table, for a function of one integer tensor."""
    (source,) = pending.sources
    function = code_function(source, pending, quantiser)
    bounds = quantiser.lowest, quantiser.highest
    lowest, highest = source.bounds()
    shape = np.broadcast_shapes(lowest.shape, function(lowest).shape)
    if is_monotone(pending.expression):
        falling = falls(function, lowest, highest)
        down: NDArray[np.bool_] = falling.reshape(-1, falling.shape[-1])
        flip: NDArray[np.bool_] = np.asarray(down.any(axis=0))
        if not flip.any():
            note_normalisation(node.output[0], pending, quantiser, source, None, graph)
            steps = steps_of_monotone(function, bounds, lowest, highest, flip)
            return _emit(node, source, steps, quantiser, graph, pending.positions)
        if np.all(down[:, flip]) or shape[0] == 1:
            negated = negated_layer(model, node, source, np.broadcast_to(flip, (source.channels,)), graph)
            if negated is not None:
                sign = np.where(flip, -1, 1)
                note_normalisation(node.output[0], pending, quantiser, source, sign, graph)
                mirrored = code_function(source, pending, quantiser, sign)
                steps = steps_of_monotone(mirrored, bounds, *negated.bounds(), np.zeros(1, dtype=bool))
                return _emit(node, negated, steps, quantiser, graph, pending.positions)
            steps = steps_of_monotone(function, bounds, lowest, highest, flip)
            return _emit(node, source, _smaller(function, steps, source), quantiser, graph, pending.positions)
    wanted = int(np.prod(shape)) * source.count
    if wanted > MOST_CODES * 64:
        raise UserError(
            f"{node.name}: the function before it neither rises nor falls everywhere, and its input {source.name} has "
            f"{source.count:,} codes; put a quantiser of at most 12 bits before that function"
        )
    steps = steps_of_any(function, bounds, int(lowest.min()), int(highest.max()), shape[2])
    return _emit(node, source, _smaller(function, steps, source), quantiser, graph, pending.positions)


def code_function(
    source: Codes, pending: Pending, quantiser: Quantiser, sign: NDArray[np.int64] | None = None
) -> CodeFunction:
    """Return what the graph makes of a code of `source`, times `sign` [channels or 1] if that is given."""
    factor = 1 if sign is None else sign.reshape(1, 1, -1, 1)
    return lambda codes: quantiser.codes(evaluate(pending.expression, {source.name: codes * factor}))


def _smaller(function: CodeFunction, steps: Steps, source: Codes) -> Steps:
    """Return steps, or a table of all codes (steps without thresholds) if that is no larger."""
    *rows, count = steps.thresholds.shape
    if steps.table is None or np.prod(rows[:2]) != 1:
        return steps
    lowest, highest = int(source.lowest.min()), int(source.highest.max())
    direct = 1 << DataType[integer_type(lowest, highest)].bitwidth()
    if direct > 2 * count + 1 and direct > 64:
        return steps
    values = all_values(function, lowest, highest, rows[2])
    return Steps(np.empty((*rows, 0), dtype=np.int64), values)


def _emit(
    node: NodeProto, source: Codes, steps: Steps, quantiser: Quantiser, graph: IntegerGraph, positions: Positions
) -> Codes:
    scale = quantiser.scale.astype(np.float64).reshape(-1)
    scale = scale[0] if scale.size == 1 else scale
    bounds = quantiser.lowest, quantiser.highest
    return emit_steps(node, node.output[0], source, steps, bounds, scale, graph, positions)
