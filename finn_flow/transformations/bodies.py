"""Access to the bodies of ODE loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

import custom_ops  # noqa: F401  (registers the loop ops)

LOOP_OPS = ("ODELoop", "ODELoop_rtl")


def loops(model: ModelWrapper) -> Iterator[NodeProto]:
    """Give the loop nodes of `model`, in order."""
    return (node for node in model.graph.node if node.op_type in LOOP_OPS)


def loop_body(node: NodeProto) -> ModelWrapper:
    """Return a copy of a loop's body; write it back with `set_loop_body`."""
    body: ModelWrapper = getCustomOp(node).get_nodeattr("body")
    return body


def set_loop_body(node: NodeProto, body: ModelWrapper) -> None:
    """Replace a loop's body."""
    getCustomOp(node).set_nodeattr("body", body)


def change_bodies(model: ModelWrapper, change: Callable[[ModelWrapper], ModelWrapper]) -> None:
    """Replace every loop's body by `change(body)`."""
    for node in loops(model):
        set_loop_body(node, change(loop_body(node)))


def index_tensor(model: ModelWrapper) -> str | None:
    """Return the input of a hardware body that carries the iteration number, if it has one."""
    inputs = model.graph.input
    return inputs[1].name if len(inputs) > 1 else None
