"""Folding for a frame rate with the least resources, and for the highest frame rate within a share of the board."""

from __future__ import annotations

from dataclasses import dataclass

from finn.util.basic import part_map
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.estimates.boards import board_resources
from finn_flow.estimates.memories import node_resources
from finn_flow.folding.candidates import Candidate
from finn_flow.folding.options import apply_folding
from finn_flow.folding.problem import Choice, Pins
from finn_flow.folding.resources import Amounts, EstimateNode
from finn_flow.folding.unrolling import Folded, FoldingSpace
from finn_flow.transformations.alternatives import put_in_place
from finn_flow.transformations.bodies import loop_body, loops, set_loop_body
from finn_flow.transformations.unroll_bodies import UnrollBodies

DEFAULT_SHARE = 0.7
"""Share of each of the board's resources that a folding for the board may take: the rest is for FIFOs and routing."""


@dataclass(frozen=True)
class FoldingResult:
    """What was chosen: cycles per frame, the node that limits them, and estimated resources with width converters."""

    cycles_per_frame: int
    limited_by: str
    resources: Amounts


class InfeasibleTarget(UserError):
    """No folding meets the cycle budget.

    `reason` says why; `best` is the fastest folding that there is, or None if not even the smallest fits.
    """

    def __init__(self, reason: str, best: FoldingResult | None) -> None:
        self.reason, self.best = reason, best
        outlook = (
            "no folding fits at all"
            if best is None
            else f"at best a frame takes {best.cycles_per_frame:,} cycles, limited by {best.limited_by}"
        )
        super().__init__(f"{reason}; {outlook}")


def fold_for_cycles(
    model: ModelWrapper,
    cycles_per_frame: int,
    board: str = "ZCU104",
    part: str | None = None,
    *,
    share: float = 1.0,
    latency_frames: float | None = None,
    pins: Pins | None = None,
    resources: EstimateNode = node_resources,
) -> FoldingResult:
    """Fold all nodes, bodies included, so that a frame takes at most `cycles_per_frame`, with the least resources.

    What is least is the weighted sum of LUT, DSP, BRAM and URAM (see `cost`), width converters included, over all legal
    foldings and memory styles of each node and of what can take its place (`finn_flow.transformations.alternatives`),
    and all numbers of bodies of each loop (`finn_flow.transformations.unroll_bodies`): exactly, not greedily.

    Parameters
    ----------
    model
        As `NameNodes` leaves it after `InsertForks`; changed in place.
    part
        FPGA part, by default the board's.
    share
        Of each of the board's resources that may be taken, above 0 to 1.
    latency_frames
        Most that a lone frame may take (`finn_flow.folding.latency`), in units of `cycles_per_frame`.
    pins
        Attributes that stay as they are by node name; their nodes may miss the budget. A loop keeps its number of
        bodies if they name it with `bodies` or a node in it.
    resources
        Estimates of a node.

    Raises
    ------
    InfeasibleTarget
        The budget cannot be met, or not within the share.
    UserError
        An unknown board, an impossible share or pin.
    """
    available = board_resources(board)
    space = FoldingSpace(model, part or part_map[board], resources, pins or {})
    limits = _limits(available, share)
    folded = space.solve(cycles_per_frame, available, limits, latency_frames)
    if folded is None:
        fastest = _fastest(space, available, limits)
        best = None if fastest is None else _result(fastest)
        if latency_frames is not None and space.solve(cycles_per_frame, available, limits) is not None:
            reason = f"no folding lets a lone frame through in {latency_frames:g} x {cycles_per_frame:,} cycles"
        else:
            reason = _reason(space, cycles_per_frame, board, available, limits)
        raise InfeasibleTarget(reason, best)
    _apply(model, folded)
    return _result(folded)


def fold_for_share(
    model: ModelWrapper,
    board: str = "ZCU104",
    part: str | None = None,
    *,
    share: float = DEFAULT_SHARE,
    pins: Pins | None = None,
    resources: EstimateNode = node_resources,
) -> FoldingResult:
    """Fold all nodes for the fewest cycles per frame within `share` of each of the board's resources.

    Among the foldings of that many cycles the least costly one is taken. Parameters as for `fold_for_cycles`.

    Raises
    ------
    InfeasibleTarget
        Not even the least parallel folding fits.
    UserError
        An unknown board, an impossible share or pin.
    """
    available = board_resources(board)
    space = FoldingSpace(model, part or part_map[board], resources, pins or {})
    limits = _limits(available, share)
    folded = _fastest(space, available, limits)
    if folded is None:
        raise InfeasibleTarget(_reason(space, space.budgets()[-1], board, available, limits), None)
    _apply(model, folded)
    return _result(folded)


def fold_without_limits(
    model: ModelWrapper,
    cycles_per_frame: int,
    board: str = "ZCU104",
    part: str | None = None,
    *,
    pins: Pins | None = None,
    resources: EstimateNode = node_resources,
) -> FoldingResult:
    """Fold as `fold_for_cycles`, whatever the board holds, to see what a network would take.

    A budget that no folding meets becomes the fewest cycles that one takes.

    Raises
    ------
    UserError
        An unknown board, or an impossible pin.
    """
    available = board_resources(board)
    space = FoldingSpace(model, part or part_map[board], resources, pins or {})
    slowest = space.slowest()
    fewest = 1 if slowest.free else slowest.fewest_cycles
    folded = space.solve(max(cycles_per_frame, fewest), available)
    assert folded is not None  # every choice has a candidate within the budget
    _apply(model, folded)
    return _result(folded)


def _limits(available: Amounts, share: float) -> Amounts:
    if not 0 < share <= 1:
        raise UserError(f"the share of the board must be above 0 and at most 1, not {share}")
    return {name: share * amount for name, amount in available.items()}


def _fastest(space: FoldingSpace, available: Amounts, limits: Amounts) -> Folded | None:
    """Return the least costly of the fastest foldings within `limits`.

    More cycles allow all that fewer do, so the fewest that are feasible are found by bisection of the cycle counts
    that the candidates have.
    """
    budgets = space.budgets()
    best = space.solve(budgets[-1], available, limits)
    low, high = 0, len(budgets) - 1
    while best is not None and low < high:
        middle = (low + high) // 2
        folded = space.solve(budgets[middle], available, limits)
        if folded is None:
            low = middle + 1
        else:
            best, high = folded, middle
    return best


def _reason(space: FoldingSpace, cycles: int, board: str, available: Amounts, limits: Amounts) -> str:
    """Why no folding takes at most `cycles` per frame within `limits`."""
    slowest = space.slowest()
    if not slowest.free and slowest.fewest_cycles > cycles:
        return _most_parallel(slowest)
    cheapest = space.solve(cycles, available)
    assert cheapest is not None  # every choice has a candidate within the budget
    excess = [
        f"{cheapest.solution.resources[name]:,.0f} {name} of {limit:,.0f}"
        for name, limit in limits.items()
        if cheapest.solution.resources.get(name, 0) > limit
    ]
    return f"the cheapest folding for {cycles:,} cycles per frame takes {', '.join(excess)} allowed on the {board}"


def _most_parallel(choice: Choice) -> str:
    passes = choice.passes
    how = f" ({choice.fewest_cycles // passes:,} in each of {passes} passes)" if passes > 1 else ""
    return f"{choice.name} takes {choice.fewest_cycles:,} cycles per frame at its most parallel{how}"


def _result(folded: Folded) -> FoldingResult:
    pairs = zip(folded.problem.choices, folded.solution.chosen, strict=True)
    choice, slowest = max(pairs, key=lambda pair: pair[1].cycles)
    name = choice.name if slowest.replacement is None else slowest.replacement.node.name
    return FoldingResult(slowest.cycles, name, folded.solution.resources)


def _apply(model: ModelWrapper, folded: Folded) -> None:
    model.transform(UnrollBodies(folded.bodies), make_deepcopy=False)
    pairs = zip(folded.problem.choices, folded.solution.chosen, strict=True)
    _apply_to_graph(model, {choice.name: candidate for choice, candidate in pairs})


def _apply_to_graph(model: ModelWrapper, chosen: dict[str, Candidate]) -> None:
    for node in model.graph.node:
        candidate = chosen[node.name]
        if candidate.replacement is not None:
            put_in_place(model, node, candidate.replacement)
        apply_folding(node, candidate.attributes)
    for node in loops(model):
        body = loop_body(node)
        _apply_to_graph(body, chosen)
        set_loop_body(node, body)
