"""Several copies of its body in a row in an ODE loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from finn_flow.errors import UserError
from finn_flow.transformations.bodies import index_tensor, loop_body, loops, set_loop_body

WHOLE = "unrolled_loops"
"""Metadata property: iterations of each loop that is gone, because it has as many bodies, as JSON by name."""


class UnrollBodies(Transformation):
    """Put copies of its body in a row into a loop of hardware nodes, which then has as many times fewer passes.

    Copy b does the iterations b, b + bodies, b + 2 · bodies, ...: of what differs between iterations it has these rows.
    With a copy per iteration nothing is left to repeat: the copies take the place of the loop. Each has its own
    constants, and its nodes have its number in their names, as in `ODELoop_rtl_0_body_1_MVAU_rtl_0`. Execution gives
    the same integers.

    Parameters
    ----------
    bodies
        By loop, for graphs as `NameNodes` leaves them; other loops stay, and so do loops that have as many already.

    Raises
    ------
    UserError
        A number that is not among the `legal_bodies`.
    """

    def __init__(self, bodies: Mapping[str, int]) -> None:
        super().__init__()
        self.bodies = bodies

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Change `model` in place; a second application finds nothing more."""
        for node in list(loops(model)):
            given = getCustomOp(node).get_nodeattr("bodies")
            bodies = self.bodies.get(node.name, given)
            if bodies == given:
                continue
            if bodies not in legal_bodies(node):
                legal = ", ".join(map(str, legal_bodies(node)))
                raise UserError(f"{node.name}: bodies must be one of {legal}, not {bodies}")
            if bodies == getCustomOp(node).get_nodeattr("iterations"):
                _take_place(model, node)
            else:
                _repeat(node, bodies)
        return model, False


def legal_bodies(loop: NodeProto) -> list[int]:
    """Return how many bodies a loop may have: divisors of its iterations, or what it has if it is unrolled already.

    A copy per iteration only if all nodes that read the iteration number have a form without it. One body where
    parameters are writable: they are written by iteration, into one node.
    """
    op = getCustomOp(loop)
    if any(_is_writable(node) for node in loop_body(loop).graph.node):
        return [1]
    if op.get_nodeattr("bodies") > 1:
        return [op.get_nodeattr("bodies")]
    iterations = op.get_nodeattr("iterations")
    consumers = {name for name, _ in op.index_consumers()}
    fixed = {node.op_type for node in loop_body(loop).graph.node if node.name in consumers} - set(_WITHOUT_INDEX)
    return [count for count in range(1, iterations + 1 - bool(fixed)) if iterations % count == 0]


def _is_writable(node: NodeProto) -> bool:
    return any(attribute.name == "runtime_writeable_weights" and attribute.i for attribute in node.attribute)


def unrolled_loops(model: ModelWrapper) -> dict[str, int]:
    """Return the loops whose bodies have taken their place, with how many they were."""
    found: dict[str, int] = json.loads(model.get_metadata_prop(WHOLE) or "{}")
    return found


def _repeat(loop: NodeProto, bodies: int) -> None:
    body = loop_body(loop)
    op = getCustomOp(loop)
    passes = op.get_nodeattr("iterations") // bodies
    index = index_tensor(body)
    row = ModelWrapper(body.model, make_deepcopy=True)
    for entries in (row.graph.node, row.graph.initializer, row.graph.value_info, row.graph.quantization_annotation):
        del entries[:]
    for value in (*body.graph.input, *body.graph.output):
        row.set_tensor_datatype(value.name, body.get_tensor_datatype(value.name))
    if index is not None:
        row.set_tensor_datatype(index, DataType.get_smallest_possible(passes - 1))
    states = [value.name for value in body.graph.input if value.name != index]
    ends = [value.name for value in body.graph.output]
    row.graph.node.extend(_copies(loop, body, row, bodies, states, ends, ""))
    set_loop_body(loop, row)
    op.set_nodeattr("iterations", passes)
    op.set_nodeattr("bodies", bodies)


def _take_place(model: ModelWrapper, loop: NodeProto) -> None:
    bodies = getCustomOp(loop).get_nodeattr("iterations")
    nodes = _copies(loop, loop_body(loop), model, bodies, loop.input, loop.output, f"{loop.name}_")
    position = list(model.graph.node).index(loop)
    model.set_metadata_prop(WHOLE, json.dumps({**unrolled_loops(model), loop.name: bodies}))
    model.graph.node.remove(loop)
    for offset, node in enumerate(nodes):
        model.graph.node.insert(position + offset, node)


def _copies(
    loop: NodeProto,
    body: ModelWrapper,
    target: ModelWrapper,
    bodies: int,
    states: Sequence[str],
    ends: Sequence[str],
    prefix: str,
) -> list[NodeProto]:
    """Return the nodes of all copies, and add their tensors to `target`.

    Parameters
    ----------
    states, ends
        Tensors of `target` that go into the first copy and come out of the last one.
    prefix
        Of the names of tensors.
    """
    index = index_tensor(body) or ""
    entries = [value.name for value in body.graph.input if value.name != index]
    results = [value.name for value in body.graph.output]
    nodes = []
    for number in range(bodies):
        scope = f"body_{number}_"
        names = {"": "", index: index, **dict(zip(entries, states, strict=True))}
        states = [f"{prefix}{scope}{name}" for name in results] if number < bodies - 1 else ends
        names |= dict(zip(results, states, strict=True))
        taken = {node.name for node in body.graph.node}
        for original in body.graph.node:
            node = NodeProto()
            node.CopyFrom(original)
            for name in (*original.input, *original.output):
                names.setdefault(name, f"{prefix}{scope}{name}")
            node.input[:] = [names[name] for name in original.input]
            node.output[:] = [names[name] for name in original.output]
            constants = {name: body.get_initializer(name) for name in original.input if name}
            constants = {name: values for name, values in constants.items() if values is not None}
            if index and index in original.input:
                _take_rows(node, constants, int(getCustomOp(loop).get_nodeattr("iterations")), number, bodies, index)
            if node.op_type != original.op_type:
                node.name = _free_name(loop.name, node.op_type, taken)
            node.name = f"{loop.name}_{scope}{node.name.removeprefix(f'{loop.name}_')}"
            for name, values in constants.items():
                target.set_initializer(names[name], values)
                target.set_tensor_datatype(names[name], body.get_tensor_datatype(name))
            for name in original.output:
                target.set_tensor_shape(names[name], body.get_tensor_shape(name))
                target.set_tensor_datatype(names[name], body.get_tensor_datatype(name))
            nodes.append(node)
    return nodes


def _free_name(loop: str, op_type: str, taken: set[str]) -> str:
    name = next(name for number in range(len(taken) + 1) if (name := f"{loop}_{op_type}_{number}") not in taken)
    taken.add(name)
    return name


Constants = dict[str, NDArray]


def _take_rows(node: NodeProto, constants: Constants, iterations: int, number: int, bodies: int, index: str) -> None:
    """Leave a node that reads the iteration number every `bodies`-th part of its constants, from part `number`."""
    for name, values in constants.items():
        parts = values.reshape(iterations, -1, *values.shape[1:])
        constants[name] = np.ascontiguousarray(parts[number::bodies].reshape(-1, *values.shape[1:]))
    if iterations > bodies:
        getCustomOp(node).set_nodeattr("iterations", iterations // bodies)
        return
    node.input.remove(index)
    _WITHOUT_INDEX[node.op_type](node, constants)


def _thresholding(node: NodeProto, constants: Constants) -> None:
    """Make thresholds of one iteration FINN's, or those of this project where they differ between pixels."""
    if any(attribute.name == "positions" and attribute.ints for attribute in node.attribute):
        node.op_type = "PositionThresholding_rtl"
        next(attribute for attribute in node.attribute if attribute.name == "iterations").i = 1
        return
    for attribute in [a for a in node.attribute if a.name in ("iterations", "positions", "channel_wise")]:
        node.attribute.remove(attribute)
    node.op_type = "Thresholding_rtl"
    getCustomOp(node).set_nodeattr("exec_mode", "cppsim")
    for name, values in constants.items():
        constants[name] = values[0]


_WITHOUT_INDEX: dict[str, Callable[[NodeProto, Constants], None]] = {"IndexedThresholding_rtl": _thresholding}
"""What becomes of nodes that read the iteration number when there is only one iteration."""
