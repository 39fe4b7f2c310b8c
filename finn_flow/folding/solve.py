"""The least costly choice of foldings, exactly: a mixed-integer linear program for HiGHS.

One binary variable per candidate of a node; one continuous variable in [0, 1] per stream and pair of word widths, tied
to the candidates at both ends by its marginals, so that it is integral wherever they are. Limits on resources are
rows, and so is one on the latency of a lone frame (`finn_flow.folding.latency`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from finn_flow.errors import FlowError
from finn_flow.folding.candidates import Candidate
from finn_flow.folding.latency import latency_rows, widened
from finn_flow.folding.problem import Edge, Problem
from finn_flow.folding.resources import Amounts, cost

_OPTIMAL, _INFEASIBLE = 0, 2


@dataclass(frozen=True)
class Solution:
    """The chosen candidate of each choice, in their order, and what all take with their width converters."""

    chosen: list[Candidate]
    resources: Amounts
    cost: float


def solve(
    problem: Problem,
    budget_cycles: int,
    available: Mapping[str, float],
    limits: Mapping[str, float] | None = None,
    latency_frames: float | None = None,
) -> Solution | None:
    """Choose the candidates of least cost among those within the budget, or return None if there is no such choice.

    Parameters
    ----------
    budget_cycles
        Per frame, for each choice that is not free.
    available
        Amounts that weigh the resources (see `cost`).
    limits
        Amounts that may not be exceeded; resources that it does not name are not limited.
    latency_frames
        Most that a lone frame may take, in units of `budget_cycles`; None for no limit.

    Raises
    ------
    FlowError
        The solver gives up without a proof of either kind.
    """
    allowed = [
        [candidate for candidate in choice.candidates if choice.free or candidate.cycles <= budget_cycles]
        for choice in problem.choices
    ]
    if not all(allowed):
        return None
    program = _Program(allowed, problem.edges, available)
    costs, integrality, upper = program.costs, program.integrality, np.ones(len(program.costs))
    constraints = program.constraints(limits or {})
    if latency_frames is not None:
        latency = latency_rows(problem.choices, allowed, budget_cycles, latency_frames, len(costs))
        constraints = [widened(constraint, latency.A.shape[1]) for constraint in constraints] + [latency]
        added = latency.A.shape[1] - len(costs)
        costs, integrality = np.r_[costs, np.zeros(added)], np.r_[integrality, np.zeros(added)]
        upper = np.r_[upper, np.full(added, np.inf)]
    result = milp(
        costs,
        integrality=integrality,
        bounds=Bounds(0, upper),
        constraints=constraints,
        options={"mip_rel_gap": 0},
    )
    if result.status == _INFEASIBLE:
        return None
    if result.status != _OPTIMAL:
        raise FlowError(f"folding: the solver stopped without a proven optimum: {result.message}")
    chosen = program.chosen(result.x)
    used = total_resources(problem, chosen)
    return Solution(chosen, used, cost(used, available))


def total_resources(problem: Problem, chosen: list[Candidate]) -> Amounts:
    """Return what the chosen candidates and the width converters between them take."""
    used: Amounts = {}
    parts = [candidate.resources for candidate in chosen]
    for edge in problem.edges:
        written, read = chosen[edge.source].outputs[edge.source_port], chosen[edge.sink].inputs[edge.sink_port]
        parts.append(edge.conversion(written, read))
    for part in parts:
        for name, amount in part.items():
            used[name] = used.get(name, 0.0) + amount
    return used


class _Program:
    """Columns: the candidates in order, then the width pairs of each stream."""

    def __init__(self, allowed: list[list[Candidate]], edges: list[Edge], available: Mapping[str, float]) -> None:
        self.allowed = allowed
        self.starts = np.cumsum([0, *(len(candidates) for candidates in allowed)])
        self.columns: list[Amounts] = [candidate.resources for candidates in allowed for candidate in candidates]
        self._rows: list[tuple[dict[int, float], float]] = [
            (dict.fromkeys(range(self.starts[i], self.starts[i + 1]), 1.0), 1.0) for i in range(len(allowed))
        ]
        for edge in edges:
            self._rows.extend(self._marginals(edge))
        binaries = int(self.starts[-1])
        self.integrality = np.r_[np.ones(binaries), np.zeros(len(self.columns) - binaries)]
        self.costs = np.array([cost(column, available) for column in self.columns])

    def _marginals(self, edge: Edge) -> Iterator[tuple[dict[int, float], float]]:
        writers = self._by_width(edge.source, edge.source_port, "outputs")
        readers = self._by_width(edge.sink, edge.sink_port, "inputs")
        pairs = {}
        for written in writers:
            for read in readers:
                pairs[written, read] = len(self.columns)
                self.columns.append(edge.conversion(written, read))
        for position, ends in enumerate((writers, readers)):
            for width, candidates in ends.items():
                row = dict.fromkeys(candidates, -1.0)
                row.update({column: 1.0 for pair, column in pairs.items() if pair[position] == width})
                yield row, 0.0

    def _by_width(self, choice: int, port: int, side: str) -> dict[int, list[int]]:
        """Columns of a choice's candidates by the elements per word at one of its ends."""
        widths: dict[int, list[int]] = {}
        for position, candidate in enumerate(self.allowed[choice]):
            widths.setdefault(getattr(candidate, side)[port], []).append(int(self.starts[choice]) + position)
        return widths

    def constraints(self, limits: Mapping[str, float]) -> list[LinearConstraint]:
        """One candidate per choice, marginals, and a row per limited resource."""
        entries = [(row, column, value) for row, (terms, _) in enumerate(self._rows) for column, value in terms.items()]
        rows, columns, values = zip(*entries, strict=True)
        shape = len(self._rows), len(self.columns)
        right = np.array([value for _, value in self._rows])
        found = [LinearConstraint(csr_array((values, (rows, columns)), shape=shape), right, right)]
        if limits:
            used = np.array([[column.get(name, 0.0) for column in self.columns] for name in limits])
            found.append(LinearConstraint(used, -np.inf, np.array(list(limits.values()))))
        return found

    def chosen(self, values: np.ndarray) -> list[Candidate]:
        """Return the candidate that a solution picks for each choice."""
        return [
            candidates[int(np.argmax(values[start : start + len(candidates)]))]
            for candidates, start in zip(self.allowed, self.starts[:-1], strict=True)
        ]
