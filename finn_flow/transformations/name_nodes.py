"""Names of hardware nodes: unique in the whole accelerator, stable from build to build."""

from __future__ import annotations

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.transformation.general import GiveUniqueNodeNames

from finn_flow.transformations.bodies import loop_body, loops, set_loop_body


class NameNodes(Transformation):
    """Number the nodes of each type; a body's nodes carry the name of their loop as prefix."""

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        model = model.transform(GiveUniqueNodeNames())
        for node in loops(model):
            set_loop_body(node, loop_body(node).transform(GiveUniqueNodeNames(prefix=f"{node.name}_")))
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
