"""Foldings of a graph together with the numbers of bodies of its loops: the least costly of all, exactly.

Every combination of numbers is a graph (`UnrollBodies`) with a choice problem of its own. A part of a problem, the
nodes of one loop or those outside of all, costs by itself no more than within the whole, where there are also words of
different width between the parts, limits on resources and on the latency. So the sum of the parts' least costs bounds
a combination from below; combinations are solved in the order of these bounds, until one bound is not below the best.

What FIFOs take is measured later only. So a loop for which one body is enough has more only where that saves a part of
the cost that is not in doubt (`LEAST_SAVING`).
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.folding.problem import Choice, Pins, Problem, ProblemBuilder
from finn_flow.folding.resources import EstimateNode
from finn_flow.folding.solve import Solution, solve
from finn_flow.transformations.bodies import loop_body, loops
from finn_flow.transformations.unroll_bodies import UnrollBodies, legal_bodies

LEAST_SAVING = 0.05
"""Part of the cost that must be saved where a loop has several bodies although it is fast enough with one."""

_TOLERANCE = 1e-9

OUTSIDE = ""
"""Stands for the nodes that are in no loop."""


@dataclass(frozen=True)
class Folded:
    """A solution, with the problem that it solves and the bodies of each loop that this has."""

    bodies: dict[str, int]
    problem: Problem
    solution: Solution


class FoldingSpace:
    """All numbers of bodies of the loops of `model`, each with its problem; problems are built when they are needed.

    A loop keeps its number if `pins` name the loop with `bodies` or a node of its body; it stays a loop if they name
    it.
    """

    def __init__(self, model: ModelWrapper, part: str, resources: EstimateNode, pins: Pins) -> None:
        self._model = model
        self._builder = ProblemBuilder(part, resources, pins)
        self._problems: dict[tuple[int, ...], Problem] = {}
        self.loops: list[str] = []
        self._iterations: list[int] = []
        self._numbers: list[list[int]] = []
        for loop in loops(model):
            op = getCustomOp(loop)
            inside = {node.name for node in loop_body(loop).graph.node}
            fixed = "bodies" in pins.get(loop.name, {}) or not inside.isdisjoint(pins)
            self.loops.append(loop.name)
            self._iterations.append(op.get_nodeattr("iterations") * op.get_nodeattr("bodies"))
            legal = [op.get_nodeattr("bodies")] if fixed else legal_bodies(loop)
            stays = fixed or loop.name in pins
            self._numbers.append([number for number in legal if stays <= (number < self._iterations[-1])])

    def problem(self, numbers: tuple[int, ...]) -> Problem:
        """Return the problem with these numbers of bodies, in the order of `loops`."""
        if numbers not in self._problems:
            model = self._model.transform(UnrollBodies(dict(zip(self.loops, numbers, strict=True))))
            gone = [n == iterations for n, iterations in zip(numbers, self._iterations, strict=True)]

            def context(name: str) -> Hashable:
                owner = self._owner(name)
                number = 0 if owner == OUTSIDE else numbers[self.loops.index(owner)]
                alone = number > 0 and not gone[self.loops.index(owner)]
                return (owner, number) if alone else (owner, number, tuple(gone))

            self._problems[numbers] = self._builder.build(model, context)
        return self._problems[numbers]

    def solve(
        self,
        budget_cycles: int,
        available: Mapping[str, float],
        limits: Mapping[str, float] | None = None,
        latency_frames: float | None = None,
    ) -> Folded | None:
        """Return the least costly folding; parameters as of `solve`."""
        best: tuple[float, Folded] | None = None
        enough = [
            numbers[0] == 1 and self._part(loop, 1).fewest_cycles(free=False) <= budget_cycles
            for loop, numbers in zip(self.loops, self._numbers, strict=True)
        ]
        for bound, numbers in self._combinations(budget_cycles, available, limits):
            if best is not None and bound >= best[0] * (1 - _TOLERANCE):
                break
            needless = any(number > 1 and one for number, one in zip(numbers, enough, strict=True))
            factor = 1 / (1 - LEAST_SAVING) if needless else 1.0
            if best is not None and bound * factor >= best[0] * (1 - _TOLERANCE):
                continue
            problem = self.problem(numbers)
            solution = solve(problem, budget_cycles, available, limits, latency_frames)
            if solution is not None and (best is None or solution.cost * factor < best[0] * (1 - _TOLERANCE)):
                best = solution.cost * factor, Folded(dict(zip(self.loops, numbers, strict=True)), problem, solution)
        return None if best is None else best[1]

    def budgets(self) -> list[int]:
        """Return the cycles per frame that some choice can have and no choice keeps from being met, ascending."""
        parts = [[self._part(loop, number) for number in numbers] for loop, numbers in self._options()]
        counts = {count for ways in parts for part in ways for count in _counts(part)}
        floor = max(min(part.fewest_cycles() for part in ways) for ways in parts)
        return sorted(count for count in counts if count >= floor)

    def slowest(self) -> Choice:
        """Return the choice with the most cycles among those that are not free, with each loop at its fastest."""
        ways = [[self._part(loop, number) for number in numbers] for loop, numbers in self._options()]
        parts = [min(way, key=lambda part: part.fewest_cycles(free=False)) for way in ways]
        fastest = [choice for part in parts for choice in part.choices]
        bound = [choice for choice in fastest if not choice.free]
        return max(bound or fastest, key=lambda choice: choice.fewest_cycles)

    def _options(self) -> Iterator[tuple[str, Sequence[int]]]:
        """Parts, each with the numbers of bodies that it may have."""
        yield OUTSIDE, [1]
        yield from zip(self.loops, self._numbers, strict=True)

    def _part(self, loop: str, number: int) -> Problem:
        """Return the nodes of a loop with a number of bodies, or those outside of all loops."""
        numbers = tuple(
            number if name == loop else ways[0] for name, ways in zip(self.loops, self._numbers, strict=True)
        )
        return self.problem(numbers).part(lambda name: self._owner(name) == loop)

    def _owner(self, name: str) -> str:
        owners = [loop for loop in self.loops if name == loop or name.startswith(f"{loop}_")]
        return owners[0] if owners else OUTSIDE

    def _combinations(
        self, budget_cycles: int, available: Mapping[str, float], limits: Mapping[str, float] | None
    ) -> Iterator[tuple[float, tuple[int, ...]]]:
        """Lower bounds and numbers of all combinations whose parts are feasible, the least bound first."""
        bounds: list[list[tuple[float, int]]] = []
        for loop, numbers in self._options():
            found = []
            for number in numbers:
                part = self._part(loop, number)
                solution = solve(part, budget_cycles, available, limits) if part.choices else None
                if solution is not None:
                    found.append((solution.cost, number))
                elif not part.choices:
                    found.append((0.0, number))
            bounds.append(sorted(found))
        if not all(bounds):
            return
        start = (0,) * len(bounds)
        queue = [(sum(found[0][0] for found in bounds), start)]
        seen = {start}
        while queue:
            bound, places = heapq.heappop(queue)
            yield bound, tuple(found[place][1] for found, place in zip(bounds[1:], places[1:], strict=True))
            for axis, place in enumerate(places):
                following = (*places[:axis], place + 1, *places[axis + 1 :])
                if place + 1 < len(bounds[axis]) and following not in seen:
                    seen.add(following)
                    step = bounds[axis][place + 1][0] - bounds[axis][place][0]
                    heapq.heappush(queue, (bound + step, following))


def _counts(part: Problem) -> Iterator[int]:
    return (candidate.cycles for choice in part.choices for candidate in choice.candidates)
