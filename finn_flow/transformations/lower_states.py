"""Several states that pass from one evaluation of a field to the next as one tensor, on integers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.transformations.integer_graph import DOMAIN, Codes, IntegerGraph, Stacked
from finn_flow.transformations.layer_windows import attributes


def states_of(value: object) -> tuple[Codes, ...] | None:
    """Return the states that a tensor consists of, one or more; None if it is not quantised, or no such tensor."""
    if isinstance(value, Codes):
        return (value,)
    parts = value.parts if isinstance(value, Stacked) else ()
    states = tuple(part for part in parts if isinstance(part, Codes))
    alike = len({state.shape for state in states}) == 1 and len(states) == len(parts)
    return states if alike else None


def interleave(states: tuple[Codes, ...], name: str, graph: IntegerGraph) -> Codes:
    """Put states of one shape and scale side by side in one tensor; a single one is itself."""
    if len(states) == 1:
        return states[0]
    first = states[0]
    shape = (first.shape[0], len(states) * first.channels, *first.shape[2:])
    node = helper.make_node("Interleave", [state.name for state in states], [graph.fresh(name)], domain=DOMAIN)
    bounds = min(state.lowest for state in states), max(state.highest for state in states)
    dtypes = {graph.dtypes[state.name] for state in states}
    assert len(dtypes) == 1, "states of one quantiser have one type"
    return graph.add(node, shape, dtypes.pop(), first.scale, bounds)


def deinterleave(joint: Codes, states: Iterable[Codes], name: str, graph: IntegerGraph) -> tuple[Codes, ...]:
    """Take a tensor of `interleave` apart into states like `states`; a single one is itself."""
    like = tuple(states)
    if len(like) == 1:
        return (joint,)
    found = []
    for position, state in enumerate(like):
        node = helper.make_node(
            "Deinterleave",
            [joint.name],
            [graph.fresh(f"{name}_state{position}")],
            domain=DOMAIN,
            tensors=len(like),
            position=position,
        )
        bounds = state.lowest, state.highest
        found.append(graph.add(node, state.shape, graph.dtypes[joint.name], state.scale, bounds))
    return tuple(found)


def lower_tile(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Let one state stand for several."""
    value, repeats = graph.env.get(node.input[0]), model.get_initializer(node.input[1])
    if not isinstance(value, Codes) or repeats is None or repeats.prod() != repeats[1]:
        raise UserError(
            f"{node.name}: only quantised channels (axis 1) can be repeated, and a constant number of times"
        )
    graph.env[node.output[0]] = Stacked((value,) * int(repeats[1]))


def lower_expand(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Let a tensor that is expanded to the shape that it has stand for the result."""
    if model.get_tensor_shape(node.input[0]) != model.get_tensor_shape(node.output[0]):
        raise UserError(f"{node.name}: only constants can be expanded")
    graph.env[node.output[0]] = graph.env[node.input[0]]


def lower_split(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Take apart what was joined."""
    value = graph.env.get(node.input[0])
    states = states_of(value) if isinstance(value, Stacked) else None
    sizes = {model.get_tensor_shape(output)[1] for output in node.output}
    axis = attributes(node).get("axis", 0) % len(model.get_tensor_shape(node.output[0]))
    if states is None or axis != 1 or len(node.output) != len(states) or sizes != {states[0].channels}:
        raise UserError(
            f"{node.name}: only what was joined as channels (axis 1), such as a solver's states, can be split again, "
            "into the same parts"
        )
    graph.env.update(zip(node.output, states, strict=True))


def lower_where(model: ModelWrapper, node: NodeProto, graph: IntegerGraph) -> None:
    """Choose one of two tensors of one quantiser, in all iterations the same or in each its own."""
    condition, *branches = node.input
    first, second = (graph.env.get(name) for name in branches)
    if not isinstance(first, Codes) or not isinstance(second, Codes):
        raise UserError(f"{node.name}: chooses between tensors that are not quantised; put a quantiser behind each")
    if first.shape != second.shape or not np.array_equal(first.scale, second.scale) or first.scale.ndim:
        raise UserError(f"{node.name}: chooses between tensors of different scales; use one quantiser for both")
    constant = graph.indexed.get(condition, model.get_initializer(condition))
    indexed = condition in graph.indexed
    if constant is None or constant.size != (len(constant) if indexed else 1):
        raise UserError(f"{node.name}: its condition must be one constant, or one in each iteration")
    choices = constant.reshape(-1, 1).astype(np.int64)
    if np.unique(choices).size == 1:
        graph.env[node.output[0]] = first if choices[0, 0] else second
        return
    name = node.output[0]
    parameter = graph.add_parameter(f"{name}_choices", choices, "BINARY")
    emitted = helper.make_node("Select", [first.name, second.name, parameter], [name], domain=DOMAIN)
    bounds = np.minimum(first.lowest, second.lowest), np.maximum(first.highest, second.highest)
    wider = max(graph.dtypes[first.name], graph.dtypes[second.name], key=lambda dtype: int(dtype.lstrip("UINT")))
    graph.add(emitted, first.shape, wider, first.scale, bounds)
    graph.env[name] = graph.codes[name]
