"""Names of hardware nodes: unique in the whole accelerator, stable from build to build."""

from __future__ import annotations

import re

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from finn_flow.transformations.bodies import loop_body, loops, set_loop_body


class NameNodes(Transformation):
    """Number the nodes of each type; a body's nodes carry the name of their loop as prefix.

    A node that has such a name keeps it, also with the number of its body in it (`UnrollBodies`); new ones take the
    lowest numbers that are free.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        _name(model, "")
        return model, False


def name_nameless_nodes(model: ModelWrapper) -> None:
    """Give a name to every node that has none or another's; names that are there stay, for messages."""
    taken = {node.name for node in model.graph.node}
    used: set[str] = set()
    counts: dict[str, int] = {}
    for node in model.graph.node:
        name = node.name
        while not name or name in used or (name != node.name and name in taken):
            number = counts.get(node.op_type, 0)
            counts[node.op_type] = number + 1
            name = f"{node.op_type}_{number}"
        used.add(name)
        node.name = name


def _name(model: ModelWrapper, prefix: str) -> None:
    taken: set[str] = set()
    unnamed = []
    for node in model.graph.node:
        if node.name not in taken and re.fullmatch(rf"{re.escape(prefix)}(\w*body_\d+_)?{node.op_type}_\d+", node.name):
            taken.add(node.name)
        else:
            unnamed.append(node)
    numbers: dict[str, int] = {}
    for node in unnamed:
        number = numbers.get(node.op_type, 0)
        while f"{prefix}{node.op_type}_{number}" in taken:
            number += 1
        node.name = f"{prefix}{node.op_type}_{number}"
        numbers[node.op_type] = number + 1
    for node in loops(model):
        body = loop_body(node)
        _name(body, f"{node.name}_")
        set_loop_body(node, body)
