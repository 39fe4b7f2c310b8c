"""Search for chains of isomorphic, consecutive subgraphs that share their weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from onnx import TensorProto

from finn_flow.transformations.dominators import chains
from finn_flow.transformations.graph_index import GraphIndex
from finn_flow.transformations.state_quantiser import find_quantiser

WEIGHT_POSITIONS = {"Conv": (0, 1), "ConvTranspose": (0, 1), "Gemm": (0, 1), "MatMul": (0, 1)}
"""Linear operators and the inputs of theirs that count as weights where they are constant."""

COMMUTATIVE = frozenset({"Add", "Mul"})

STACKABLE_POSITIONS = {
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), (0, 1)),
    **dict.fromkeys(("Quant", "IntQuant", "BipolarQuant", "MultiThreshold", "PRelu"), (1,)),
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm"), (2,)),
    "BatchNormalization": (1, 2, 3, 4),
    "Concat": (0, 1, 2, 3),
    "Where": (0,),
}
"""Inputs whose constants may differ between iterations; every other constant must be equal in all of them."""

STACKABLE_TYPES = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BOOL})


@dataclass(frozen=True)
class Segment:
    """The region between two neighbours of a chain, in a form that is equal for isomorphic regions.

    Attributes
    ----------
    tokens
        The region's graph, written down depth first from `end`; weights and the constants that have to be equal appear
        by value, the others by type and shape only.
    owners
        The number of the node that each token is about (that reads what it describes, unless it is a node).
    nodes
        Node numbers in the order of the walk.
    constants
        (node number, input position) of each constant, in the order of the walk.
    weights
        Names of the constant weights of linear operators.
    """

    start: str
    end: str
    tokens: tuple[tuple, ...]
    owners: tuple[int, ...]
    nodes: tuple[int, ...]
    constants: tuple[tuple[int, int], ...]
    weights: tuple[str, ...]


@dataclass(frozen=True)
class RepeatedBlock:
    """Consecutive isomorphic regions: `segments[i]` holds the consecutive segments of iteration i."""

    segments: tuple[tuple[Segment, ...], ...]

    @property
    def iterations(self) -> int:
        """The number of regions."""
        return len(self.segments)

    @property
    def states(self) -> list[str]:
        """The tensor that enters the first region, then the one that leaves each region."""
        return [self.segments[0][0].start, *(iteration[-1].end for iteration in self.segments)]

    @cached_property
    def nodes(self) -> frozenset[int]:
        """The numbers of all nodes of all regions."""
        return frozenset(n for iteration in self.segments for segment in iteration for n in segment.nodes)


def read_segment(index: GraphIndex, start: str, end: str, weights_by_value: bool = True) -> Segment:
    """Write down the region between `start` and `end`.

    Inputs of commutative operators are ordered by their distance from the graph's inputs, constants last, so that
    neither their order nor the order of attributes matters; names never do.
    """
    tokens: list[tuple] = []
    owners: list[int] = []
    numbers: dict[int, int] = {}
    constants: list[tuple[int, int]] = []
    weights: list[str] = []
    pending: list[tuple[str, int, int]] = [(end, -1, -1)]
    while pending:
        name, reader, position = pending.pop()
        owners.append(reader)
        if name == start:
            tokens.append(("state",))
        elif name == "":
            tokens.append(("absent",))
        elif name not in index.level:
            op_type = index.nodes[reader].op_type
            is_weight = position in WEIGHT_POSITIONS.get(op_type, ())
            stackable = (
                position in STACKABLE_POSITIONS.get(op_type, ()) and index.element_types.get(name) in STACKABLE_TYPES
            )
            if stackable or (is_weight and not weights_by_value):
                tokens.append(("constant", index.element_types[name], index.shapes[name]))
            else:
                tokens.append(("value", index.constant_key(name)))
            constants.append((reader, position))
            if is_weight:
                weights.append(name)
        else:
            number, output = index.producer[name]
            if number in numbers:
                tokens.append(("again", numbers[number], output))
                continue
            numbers[number] = len(numbers)
            owners[-1] = number
            node = index.nodes[number]
            inputs = [(i, number, position) for position, i in enumerate(index.inputs[number])]
            if node.op_type in COMMUTATIVE:
                inputs.sort(key=lambda i: index.level.get(i[0], len(index.level)))
            tokens.append(("node", index.node_key(node), output, len(inputs)))
            pending += reversed(inputs)
    return Segment(start, end, tuple(tokens), tuple(owners), tuple(numbers), tuple(constants), tuple(weights))


def find_repeated_blocks(index: GraphIndex, weights_by_value: bool = True) -> list[RepeatedBlock]:
    """Return disjoint chains of at least two isomorphic regions, each with a weight, covering as much as possible.

    Where chains compete for nodes, the one that covers more of them wins, then the one with the smaller period.
    `weights_by_value=False` lets the weights differ as well, which tells *why* nothing was found.
    """
    candidates = []
    for chain in chains(index):
        segments = [read_segment(index, a, b, weights_by_value) for a, b in pairwise(chain)]
        for first, length, period in _runs([index.intern(segment.tokens) for segment in segments]):
            run = segments[first : first + length]
            if any(segment.weights for segment in run[:period]):
                candidates.append(_best_rotation(index, run, period))
    candidates.sort(key=lambda block: (-len(block.nodes), len(block.segments[0])))
    chosen: list[RepeatedBlock] = []
    for block in candidates:
        if all(block.nodes.isdisjoint(other.nodes) for other in chosen):
            chosen.append(block)
    return sorted(chosen, key=lambda block: min(block.nodes))


def _runs(kinds: list[int]) -> Iterator[tuple[int, int, int]]:
    """Yield (first, length, period) of each maximal stretch of `kinds` with the given period, two periods or more."""
    values = np.asarray(kinds)
    for period in range(1, len(kinds) // 2 + 1):
        equal = np.concatenate(([False], values[period:] == values[:-period], [False]))
        edges = np.flatnonzero(equal[1:] != equal[:-1])
        for first, end in zip(edges[::2], edges[1::2], strict=True):
            if end - first >= period:
                yield int(first), int(end - first) + period, period


def _best_rotation(index: GraphIndex, run: list[Segment], period: int) -> RepeatedBlock:
    """Cut a run into iterations.

    A run is often longer than its iterations: the quantiser of the stem in front of the first iteration looks like
    the quantiser at the end of each. Best is a cut where the same quantiser produces the state at all boundaries,
    then one where the iterations end in a quantiser, then the one with the most iterations, then the earliest.
    """

    def block(offset: int) -> RepeatedBlock:
        count = (len(run) - offset) // period
        starts = range(offset, offset + count * period, period)
        return RepeatedBlock(tuple(tuple(run[start : start + period]) for start in starts))

    def rank(candidate: RepeatedBlock) -> tuple[bool, bool, int]:
        entry, *later = (find_quantiser(index, name) for name in candidate.states[:2])
        quantised = later[0] is not None
        return quantised and entry == later[0], quantised, candidate.iterations

    offsets = range(min(period, len(run) - 2 * period + 1))
    return max((block(offset) for offset in offsets), key=rank)
