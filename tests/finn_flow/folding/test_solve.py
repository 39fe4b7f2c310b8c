"""The solver's choice is the best of all choices, with and without limits."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finn_flow.folding.candidates import Candidate
from finn_flow.folding.problem import Choice, Edge, Problem
from finn_flow.folding.resources import cost
from finn_flow.folding.solve import solve, total_resources

AVAILABLE = {"LUT": 1000.0, "DSP": 10.0}


def candidate(draw: st.DrawFn, streams: int) -> Candidate:
    width = st.sampled_from([1, 2, 4])
    widths = {port: draw(width) for port in range(streams)}
    resources = {"LUT": float(draw(st.integers(0, 50))), "DSP": float(draw(st.integers(0, 3)))}
    return Candidate({}, draw(st.integers(1, 4)), widths, widths, resources)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Up to five nodes with up to three candidates, and any streams between them, cycles included as in a loop."""
    count = draw(st.integers(1, 5))
    choices = [
        Choice(f"n{i}", 1, [candidate(draw, 2) for _ in range(draw(st.integers(1, 3)))], draw(st.booleans()))
        for i in range(count)
    ]
    position, port = st.integers(0, count - 1), st.integers(0, 1)
    edges = []
    for _ in range(draw(st.integers(0, 6))):
        price = float(draw(st.integers(0, 40)))
        ends = [draw(position), draw(port), draw(position), draw(port)]
        if ends[0] != ends[2]:
            edges.append(Edge(*ends, lambda a, b, price=price: {} if a == b else {"LUT": price + abs(a - b)}))
    return Problem(choices, edges)


def by_brute_force(problem: Problem, budget: int, limits: dict[str, float]) -> float | None:
    allowed = [[one for one in choice.candidates if choice.free or one.cycles <= budget] for choice in problem.choices]
    costs = []
    for chosen in product(*allowed):
        used = total_resources(problem, list(chosen))
        if all(used.get(name, 0) <= limit for name, limit in limits.items()):
            costs.append(cost(used, AVAILABLE))
    return min(costs, default=None)


@settings(max_examples=150)
@given(
    problem=problems(),
    budget=st.integers(1, 4),
    limits=st.fixed_dictionaries({}, optional={"LUT": st.integers(0, 150), "DSP": st.integers(0, 8)}),
)
def test_same_cost_as_trying_everything(problem, budget, limits):
    best = by_brute_force(problem, budget, limits)
    solution = solve(problem, budget, AVAILABLE, limits)
    assert (solution is None) == (best is None)
    if solution is not None:
        assert solution.cost == pytest.approx(best)
        assert cost(total_resources(problem, solution.chosen), AVAILABLE) == solution.cost
        for choice, chosen in zip(problem.choices, solution.chosen, strict=True):
            assert chosen in choice.candidates
            assert choice.free or chosen.cycles <= budget


@pytest.mark.parametrize(("price", "expected"), [(15.0, 35.0), (25.0, 40.0)])
def test_a_converter_is_taken_where_it_is_cheaper_than_equal_words(price, expected):
    narrow, wide = (Candidate({}, 1, {0: width}, {0: width}, {"LUT": lut}) for width, lut in ((1, 30.0), (4, 10.0)))
    problem = Problem(
        [Choice("writer", 1, [Candidate({}, 1, {}, {0: 1}, {"LUT": 10.0})]), Choice("reader", 1, [narrow, wide])],
        [Edge(0, 0, 1, 0, lambda written, read: {} if written == read else {"LUT": price})],
    )
    assert solve(problem, 1, AVAILABLE).cost == pytest.approx(expected)
