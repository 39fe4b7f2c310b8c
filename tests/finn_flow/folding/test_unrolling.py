"""Numbers of bodies are chosen with the rest of the folding, exactly, and can be set."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.estimates.boards import board_resources
from finn_flow.estimates.memories import node_resources
from finn_flow.folding import unrolling
from finn_flow.folding.config import apply_folding_config, extract_folding
from finn_flow.folding.problem import Problem, folding_problem
from finn_flow.folding.solve import solve
from finn_flow.folding.target import InfeasibleTarget, fold_for_cycles, fold_for_share
from finn_flow.folding.unrolling import FoldingSpace
from finn_flow.transformations.bodies import loops
from finn_flow.transformations.unroll_bodies import UnrollBodies, unrolled_loops
from tests.finn_flow.folding.small_networks import PART, cycles_per_frame
from tests.finn_flow.transformations.compiled import assert_same_logits, finish, hardware, integers
from tests.finn_flow.transformations.qonnx_graphs import ode_net

BOARD = board_resources("ZCU104")
LOOPS = ("ODELoop_rtl_0", "ODELoop_rtl_1")
TOO_SLOW_WITH_ONE = 60
"""Cycles per frame; the first of the loops takes 6 x 16 with one body, the second one 4 x 4."""


@cache
def lowered() -> ModelWrapper:
    return integers(ode_net((6, 4), channels=2, state_output=False))


def two_loops() -> ModelWrapper:
    return hardware(lowered())


@cache
def space() -> FoldingSpace:
    return FoldingSpace(two_loops(), PART, node_resources, {})


@cache
def problem(numbers: tuple[int, int]) -> Problem:
    """Return the problem with these bodies, built by itself."""
    model = two_loops().transform(UnrollBodies(dict(zip(LOOPS, numbers, strict=True))))
    return folding_problem(model, PART, node_resources)


def bodies(model: ModelWrapper) -> dict[str, int]:
    """How many each loop has, also those that are gone."""
    return {loop.name: getCustomOp(loop).get_nodeattr("bodies") for loop in loops(model)} | unrolled_loops(model)


@pytest.mark.parametrize(("cycles", "latency"), [(200, None), (90, None), (TOO_SLOW_WITH_ONE, None), (40, 4.0)])
def test_the_least_cost_of_all_combinations(monkeypatch, cycles, latency):
    monkeypatch.setattr(unrolling, "LEAST_SAVING", 0.0)
    found = space().solve(cycles, BOARD, BOARD, latency)
    costs = {}
    for numbers in product((1, 2, 3, 6), (1, 2, 4)):
        solution = solve(problem(numbers), cycles, BOARD, BOARD, latency)
        costs[numbers] = np.inf if solution is None else solution.cost
    assert found.solution.cost == pytest.approx(min(costs.values()))
    assert costs[tuple(found.bodies[loop] for loop in LOOPS)] == pytest.approx(found.solution.cost)


def test_few_combinations_are_solved_whole(monkeypatch):
    solved = []

    def counted(problem, *arguments):
        solved.append(len(problem.choices))
        return solve(problem, *arguments)

    monkeypatch.setattr(unrolling, "solve", counted)
    space().solve(TOO_SLOW_WITH_ONE, BOARD, BOARD)
    parts = 1 + 4 + 3  # outside of the loops, and each loop with each number
    assert len(solved) <= parts + 2


def test_one_body_where_it_is_enough():
    model = two_loops()
    fold_for_cycles(model, 100)
    assert bodies(model) == dict.fromkeys(LOOPS, 1)


def test_a_faster_rate_than_one_body_has():
    model = two_loops()
    result = fold_for_cycles(model, TOO_SLOW_WITH_ONE)
    assert bodies(model)[LOOPS[0]] > 1
    assert bodies(model)[LOOPS[1]] == 1
    assert cycles_per_frame(model) == result.cycles_per_frame <= TOO_SLOW_WITH_ONE
    assert_same_logits(lowered(), finish(model))


def test_a_small_board_sets_the_rate_with_several_bodies():
    model, other = two_loops(), two_loops()
    with_one = {loop: {"bodies": 1} for loop in LOOPS}
    assert (
        fold_for_share(model, share=0.5).cycles_per_frame
        < fold_for_share(other, share=0.5, pins=with_one).cycles_per_frame
    )
    assert bodies(model)[LOOPS[0]] > 1
    assert bodies(other) == dict.fromkeys(LOOPS, 1)


@pytest.mark.parametrize("number", [2, 6])
def test_a_config_sets_bodies_and_their_nodes(number):
    model, other = two_loops(), two_loops()
    pins = apply_folding_config(model, {"ODELoop_rtl_0": {"bodies": number}})
    assert bodies(model) == {"ODELoop_rtl_0": number, "ODELoop_rtl_1": 1}
    result = fold_for_cycles(model, 300, pins=pins)
    assert bodies(model) == {"ODELoop_rtl_0": number, "ODELoop_rtl_1": 1}
    config = extract_folding(model)
    assert config["ODELoop_rtl_0"]["bodies"] == number
    assert f"ODELoop_rtl_0_body_{number - 1}_ODEUpdate_rtl_0" in config
    # What was chosen leaves nothing to choose.
    assert fold_for_cycles(other, 1, pins=apply_folding_config(other, config)) == result
    assert extract_folding(other) == config
    assert_same_logits(lowered(), finish(other))


def test_a_default_sets_the_bodies_of_all_loops():
    model = two_loops()
    apply_folding_config(model, {"Defaults": {"bodies": [2, ["ODELoop_rtl"]]}})
    assert bodies(model) == dict.fromkeys(LOOPS, 2)


def test_nodes_that_are_set_keep_their_loop_as_it_is():
    pins = {"ODELoop_rtl_0_MVAU_rtl_0": {"PE": 2}}
    with pytest.raises(InfeasibleTarget, match=r"ODELoop_rtl_0\w* takes 96 cycles per frame at its most parallel"):
        fold_for_cycles(two_loops(), TOO_SLOW_WITH_ONE, pins=pins)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"ODELoop_rtl_0": {"bodies": 4}}, "ODELoop_rtl_0: bodies must be one of 1, 2, 3, 6, not 4"),
        ({"ODELoop_rtl_0": {"bodies": True}}, "ODELoop_rtl_0: bodies must be one of 1, 2, 3, 6, not True"),
        ({"ODELoop_rtl_0": {"bodies": 6, "PE": 2}}, "ODELoop_rtl_0 has a body per iteration, so it is no loop and has"),
        ({"MVAU_rtl_0": {"bodies": 2}}, "MVAU_rtl_0: `bodies` is the network's: it must stay 0, not 2"),
        ({"ODELoop_rtl_0_body_1_Fork_rtl_0": {"PE": 2}}, "no node called ODELoop_rtl_0_body_1_Fork_rtl_0"),
    ],
)
def test_what_a_config_cannot_set(config, message):
    with pytest.raises(UserError, match=message):
        apply_folding_config(two_loops(), config)
