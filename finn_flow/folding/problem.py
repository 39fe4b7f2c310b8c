"""A hardware graph as a choice problem: what each node may be folded to, and what words of different width cost."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from onnx import NodeProto
from qonnx.core.datatype import BaseDataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.folding.candidates import Candidate, CandidateEstimator, undominated
from finn_flow.folding.options import legal_foldings
from finn_flow.folding.resources import Amounts, EstimateNode
from finn_flow.transformations.alternatives import Alternative, alternatives
from finn_flow.transformations.bodies import LOOP_OPS, index_tensor, loop_body, loops
from finn_flow.transformations.insert_width_converters import width_converter

Pins = Mapping[str, Mapping[str, Any]]
"""Attributes that nodes must keep, by node name; none for a node that is only named."""

_FOLDING_NAMES = {"PE", "SIMD", "parallel_window"}


@dataclass(frozen=True)
class Choice:
    """A node and its candidates, at least one; `passes` is how often it runs per frame.

    A `free` node is not held to the cycle budget, because the user set it. `stage` counts the loops before it; a
    loop and the nodes of its body have its `iterations`, all other nodes 0.
    """

    name: str
    passes: int
    candidates: list[Candidate]
    free: bool = False
    stage: int = 0
    iterations: int = 0

    @property
    def fewest_cycles(self) -> int:
        """Cycles per frame at its fastest."""
        return min(candidate.cycles for candidate in self.candidates)


@dataclass(frozen=True)
class Edge:
    """A stream from an output of one choice to an input of another; `conversion` is what unequal words cost.

    `source` and `sink` are positions among the choices, each with the stream's position. The ends of a body belong
    to its loop.
    """

    source: int
    source_port: int
    sink: int
    sink_port: int
    conversion: Callable[[int, int], Amounts]


@dataclass
class Problem:
    """All choices of an accelerator and the streams between them."""

    choices: list[Choice] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def fewest_cycles(self, free: bool = True) -> int:
        """Cycles per frame of the slowest choice at its fastest, `free` ones among them if told."""
        return max((choice.fewest_cycles for choice in self.choices if free or not choice.free), default=0)

    def part(self, inside: Callable[[str], bool]) -> Problem:
        """Return the choices whose names are `inside`, and the streams among them."""
        numbers = [number for number, choice in enumerate(self.choices) if inside(choice.name)]
        place = {number: position for position, number in enumerate(numbers)}
        return Problem(
            [self.choices[number] for number in numbers],
            [
                replace(edge, source=place[edge.source], sink=place[edge.sink])
                for edge in self.edges
                if edge.source in place and edge.sink in place
            ],
        )


def folding_problem(model: ModelWrapper, part: str, resources: EstimateNode, pins: Pins | None = None) -> Problem:
    """Describe `model`, as `InsertForks` leaves it, bodies included.

    Parameters
    ----------
    pins
        Attributes that stay; the rest is chosen around them, and their nodes may miss the cycle budget.

    Raises
    ------
    UserError
        No legal folding of a node has its pinned attributes.
    """
    return ProblemBuilder(part, resources, pins or {}).build(model)


class ProblemBuilder:
    """Builds the problems of graphs that have nodes in common; nodes that are alike are estimated once.

    Parameters are those of `folding_problem`.
    """

    def __init__(self, part: str, resources: EstimateNode, pins: Pins) -> None:
        self.problem = Problem()
        self.part, self.resources, self.pins = part, resources, pins
        self._estimator = CandidateEstimator(part, resources)
        self._choices: dict[tuple[Hashable, str], Choice] = {}

    def build(self, model: ModelWrapper, context: Callable[[str], Hashable] | None = None) -> Problem:
        """Return the problem of a graph.

        Nodes of graphs that were built before, with the same name and `context` of the name, must be the same nodes.
        """
        self.problem = Problem()
        self._context = context or (lambda name: object())
        self._add_graph(model, 1, None)
        return self.problem

    def _add_graph(self, model: ModelWrapper, passes: int, loop: int | None) -> None:
        """Add the nodes of a graph, the streams between them, and the bodies of its loops; `loop` is around it."""
        producers = {} if loop is None else {model.graph.input[0].name: (loop, 0)}
        around = None if loop is None else self.problem.choices[loop]
        index = index_tensor(model)
        own = {}
        loops_before = 0
        for node in model.graph.node:
            own[node.name] = len(self.problem.choices)
            constants = [tensor == index or model.get_initializer(tensor) is not None for tensor in node.input]
            streams = [port for port, constant in enumerate(constants) if not constant]
            key = self._context(node.name), node.name
            if key not in self._choices:
                self._choices[key] = self._choice(model, node, passes, streams)
            choice = self._choices[key]
            if around is not None:
                choice = replace(choice, stage=around.stage, iterations=around.iterations)
            elif node.op_type in LOOP_OPS:
                iterations = int(getCustomOp(node).get_nodeattr("iterations"))
                choice = replace(choice, stage=loops_before, iterations=iterations)
                loops_before += 1
            else:
                choice = replace(choice, stage=loops_before)
            self.problem.choices.append(choice)
            for port in streams:
                tensor = node.input[port]
                if tensor in producers:
                    self._connect(model, tensor, producers[tensor], (own[node.name], port))
            producers |= {tensor: (own[node.name], port) for port, tensor in enumerate(node.output)}
        if loop is not None:
            output = model.graph.output[0].name
            self._connect(model, output, producers[output], (loop, 0))
        for node in loops(model):
            iterations = getCustomOp(node).get_nodeattr("iterations")
            self._add_graph(loop_body(node), passes * iterations, own[node.name])

    def _connect(self, model: ModelWrapper, tensor: str, source: tuple[int, int], sink: tuple[int, int]) -> None:
        conversion = self._conversion(model.get_tensor_shape(tensor), model.get_tensor_datatype(tensor))
        self.problem.edges.append(Edge(*source, *sink, conversion))

    def _conversion(self, shape: list[int], dtype: BaseDataType) -> Callable[[int, int], Amounts]:
        @cache
        def conversion(written: int, read: int) -> Amounts:
            if written == read:
                return {}
            return self.resources(width_converter("x", "y", shape, dtype, written, read), self.part, None)

        return conversion

    def _choice(self, model: ModelWrapper, node: NodeProto, passes: int, streams: list[int]) -> Choice:
        pinned = self.pins.get(node.name, {})
        # What is pinned is said of this type of node.
        others = [Alternative(node)] if pinned else alternatives(model, node)
        candidates = [
            replace(found, cycles=found.cycles * passes, replacement=other if number > 0 else None)
            for number, other in enumerate(others)
            for found in self._estimator.candidates(other.node, other.constant(model), pinned, streams)
        ]
        # To name a node that folds in no way sets all there is of its folding.
        free = not pinned.keys().isdisjoint(_FOLDING_NAMES) or (node.name in self.pins and not legal_foldings(node))
        return Choice(node.name, passes, undominated(candidates), free=free)
