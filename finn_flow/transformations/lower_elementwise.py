"""Elementwise arithmetic: collected as a function of integer codes until a quantiser makes integers of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.transformations.elementwise import Expression, Operation
from finn_flow.transformations.exact_sums import gather_sum
from finn_flow.transformations.integer_graph import Codes, IntegerGraph, Pending, Positions, Stacked, Weights
from finn_flow.transformations.lower_states import states_of

MOST_SOURCES = 2


def lower_elementwise(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Note what `node` does to codes; several operands may depend on one or two integer tensors altogether."""
    shape = tuple(model.get_tensor_shape(node.output[0]))
    sources: dict[str, Codes] = {}
    operands: list[Expression] = []
    positions: Positions = ()
    dynamic = _with_few_sources(node, graph)
    for name in node.input:
        pending = dynamic.get(name)
        if pending is not None:
            if pending.shape != shape:
                raise UserError(
                    f"{node.name}: operand {name} has shape {list(pending.shape)} where the result has {list(shape)}; "
                    "only constants may be repeated"
                )
            sources |= {source.name: source for source in pending.sources}
            operands.append(pending.expression)
            if pending.positions:
                if positions and pending.positions != positions:
                    raise UserError(f"{node.name}: adds two layers with time as a channel; quantise each before")
                positions = pending.positions
        elif name:
            operands.append(_constant(model, node, graph, name, len(shape)))
    if not sources:
        raise UserError(f"{node.name}: {node.op_type} of an unquantised tensor has no integer form; quantise its input")
    if len(sources) > MOST_SOURCES:
        raise UserError(
            f"{node.name}: its result depends on {len(sources)} quantised tensors ({', '.join(sources)}); put a "
            "quantiser behind every sum of two, or add them with scales that are powers of two"
        )
    graph.env[node.output[0]] = Pending(tuple(sources.values()), Operation(node, tuple(operands)), shape, positions)


def _with_few_sources(node: NodeProto, graph: IntegerGraph) -> dict[str, Pending]:
    """Return the operands that depend on integer tensors; where these are too many, sums among them are added up."""
    values = {name: graph.env.get(name) for name in node.input}
    found = {name: as_pending(value) for name, value in values.items() if isinstance(value, Codes | Pending)}
    if len({source.name for pending in found.values() for source in pending.sources}) > MOST_SOURCES:
        for name, pending in found.items():
            gathered = gather_sum(pending, f"{name}_sum", graph) if len(pending.sources) > 1 else None
            found[name] = gathered or pending
    return found


def as_pending(value: Codes | Pending) -> Pending:
    """Codes as a function of themselves."""
    return value if isinstance(value, Pending) else Pending((value,), value.expression(), value.shape)


def _constant(model: ModelWrapper, node: NodeProto, graph: IntegerGraph, name: str, rank: int) -> NDArray[np.float32]:
    """Return the constant operand as [iterations or 1, 1, channels or 1, 1]; a bound of a Clip stays a scalar."""
    indexed = name in graph.indexed
    known = graph.env.get(name)
    value = known.values if isinstance(known, Weights) else model.get_initializer(name)
    constant = graph.indexed[name] if indexed else value
    if constant is None:
        raise UserError(f"{node.name}: operand {name} is neither a constant nor a quantised tensor")
    constant = np.asarray(constant, dtype=np.float32)
    if node.op_type == "Clip":
        if indexed or constant.size != 1:
            raise UserError(f"{node.name}: bound {name} must be one number, the same in every iteration")
        return constant.reshape(())
    return constant_layout(node, name, constant, rank, indexed)


def constant_layout(
    node: NodeProto, name: str, constant: NDArray[np.float32], rank: int, indexed: bool
) -> NDArray[np.float32]:
    """Bring a constant, which broadcasts against a tensor of `rank` axes, to [iterations or 1, 1, channels or 1, 1].

    Raises
    ------
    UserError
        It differs along other axes than the channels.
    """
    leading = constant.shape[0] if indexed else 1
    per_use = constant.shape[1:] if indexed else constant.shape
    if np.prod(per_use) == 1:
        return constant.reshape(leading, 1, 1, 1)
    padded = (1,) * (rank - len(per_use)) + tuple(per_use)
    if np.prod(padded) != padded[1]:
        raise UserError(
            f"{node.name}: the constant {name} must be one number or one per channel, not of shape {list(per_use)}"
        )
    return constant.reshape(leading, 1, padded[1], 1)


def lower_concat(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Note constant channels beside those of a quantised tensor: the time, as many neural ODEs take it."""
    (axis,) = (attribute.i for attribute in node.attribute if attribute.name == "axis")
    shape = model.get_tensor_shape(node.output[0])
    if axis % len(shape) != 1 or len(shape) < 3:
        raise UserError(f"{node.name}: only channels (axis 1) of feature maps can be joined, not axis {axis}")
    parts: list[Codes | NDArray[np.float32]] = []
    for name in node.input:
        value = graph.env.get(name)
        constant = graph.indexed.get(name, model.get_initializer(name))
        if isinstance(value, Codes):
            parts.append(value)
        elif value is None and constant is not None:
            per_use = constant if name in graph.indexed else constant[np.newaxis]
            parts.append(per_use[:, 0].astype(np.float32))
        else:
            raise UserError(f"{node.name}: operand {name} must be quantised or a constant; put a quantiser before it")
    joined = Stacked(tuple(parts))
    if states_of(joined) is None or not _are_states(model, node.output[0]):
        _check_one_quantised(node, parts)
    graph.env[node.output[0]] = joined


def _are_states(model: ModelWrapper, name: str) -> bool:
    """Whether a tensor is only passed to a loop, out of its body, or taken apart again."""
    return all(reader.op_type in ("ODELoop", "Split") for reader in model.find_consumers(name) or [])


def _check_one_quantised(node: NodeProto, parts: list[Codes | NDArray[np.float32]]) -> None:
    if sum(isinstance(part, Codes) for part in parts) != 1:
        raise UserError(
            f"{node.name}: joins {sum(isinstance(part, Codes) for part in parts)} quantised tensors; only constants, "
            "such as the time, can be joined to one"
        )


def lower_copy(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Let the output stand for what the input stands for."""
    if node.input[0] not in graph.env:
        raise UserError(f"{node.name}: {node.op_type} of a tensor that is not quantised has no integer form")
    graph.env[node.output[0]] = graph.env[node.input[0]]
