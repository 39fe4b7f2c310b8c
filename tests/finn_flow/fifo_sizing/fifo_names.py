"""The FIFOs of a graph."""

from __future__ import annotations

from finn_flow.transformations.bodies import loop_body, loops
from finn_flow.transformations.insert_fifos import FIFO


def fifos(model) -> list[str]:
    bodies = [loop_body(node) for node in loops(model)]
    return [node.name for graph in (model, *bodies) for node in graph.graph.node if node.op_type == FIFO]
