"""Dominators of a graph's dynamic tensors, and the chains of tensors through which everything has to pass."""

from __future__ import annotations

from collections.abc import Iterable

import networkx

from finn_flow.transformations.graph_index import GraphIndex

OUTSIDE = ""
"""The virtual tensor before all graph inputs and after all graph outputs (an empty name is never a tensor)."""


def immediate_dominators(index: GraphIndex) -> dict[str, str]:
    """Return, for every dynamic tensor, the nearest other tensor that every path from the graph inputs to it passes."""

    def before(name: str) -> list[str]:
        if name not in index.producer:
            return [OUTSIDE]
        return [i for i in index.inputs[index.producer[name][0]] if i in index.level] or [OUTSIDE]

    return _tree((previous, name) for name in index.tensors for previous in before(name))


def immediate_postdominators(index: GraphIndex) -> dict[str, str]:
    """Return, for every dynamic tensor, the nearest other one that every path from it to the graph outputs passes."""
    known = set(index.tensors)

    def after(name: str) -> list[str]:
        readers = [out for number in index.consumers.get(name, ()) for out in index.nodes[number].output]
        return [out for out in readers if out in known] + [OUTSIDE] * (name in index.graph_outputs)

    return _tree((following, name) for name in index.tensors for following in after(name))


def _tree(edges: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the immediate dominator of each tensor that is reached from `OUTSIDE` through `edges`."""
    dominators = networkx.immediate_dominators(networkx.DiGraph(edges), OUTSIDE)
    return {name: dominator for name, dominator in dominators.items() if name != OUTSIDE}


def chains(index: GraphIndex) -> list[list[str]]:
    """Return the maximal sequences of at least three tensors whose neighbours enclose regions with one way in and out.

    For neighbours (a, b), b depends on nothing dynamic but a, and what lies between them is read nowhere else. Only
    the first tensor of a chain may be read elsewhere too, and the last one. Regions of different chains may nest
    (the inside of a residual branch is a chain of its own) but each pair stands in one chain.
    """
    before = immediate_dominators(index)
    after = immediate_postdominators(index)
    following = {a: after[a] for a in index.tensors if after[a] != OUTSIDE and before[after[a]] == a}
    found = []
    for head in index.tensors:
        if following.get(before[head]) == head:
            continue
        chain = [head]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        start = before[head]
        if len(chain) > 1 and start != OUTSIDE and is_closed(index, region(index, start, head), head):
            chain.insert(0, start)
        if len(chain) > 2:
            found.append(chain)
    return found


def region(index: GraphIndex, start: str, end: str) -> set[int]:
    """Return the numbers of the nodes that `end` depends on, not looking beyond `start`."""
    nodes: set[int] = set()
    pending = [end]
    while pending:
        name = pending.pop()
        if name != start and name in index.producer and index.producer[name][0] not in nodes:
            number = index.producer[name][0]
            nodes.add(number)
            pending += index.inputs[number]
    return nodes


def is_closed(index: GraphIndex, nodes: set[int], end: str) -> bool:
    """Tell whether nothing but `end` leaves the region `nodes`."""
    inner = {name for number in nodes for name in index.nodes[number].output if name} - {end}
    return not any(name in index.graph_outputs or not nodes.issuperset(index.consumers.get(name, ())) for name in inner)
