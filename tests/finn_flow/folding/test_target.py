"""Folding for a budget and for a share of the board, on whole networks."""

from itertools import product

import pytest
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.estimates.boards import board_resources
from finn_flow.estimates.memories import node_resources
from finn_flow.folding.problem import folding_problem
from finn_flow.folding.resources import cost
from finn_flow.folding.solve import solve, total_resources
from finn_flow.folding.target import InfeasibleTarget, fold_for_cycles, fold_for_share
from tests.finn_flow.folding.small_networks import PART, all_nodes, cycles_per_frame, lowered, small_hardware
from tests.finn_flow.transformations.compiled import assert_same_logits, finish, graphs, hardware

BOARD = board_resources("ZCU104")


@pytest.mark.parametrize("style", ["ds", "dense"])
@pytest.mark.parametrize("cycles", [130, 250, 1000])
def test_meets_the_budget_exactly_as_estimated_and_stays_exact(style, cycles):
    integers = lowered(style)
    model = hardware(integers)
    result = fold_for_cycles(model, cycles)
    model = finish(model)
    assert cycles_per_frame(model) == result.cycles_per_frame <= cycles
    total = dict.fromkeys(BOARD, 0.0)
    for graph in graphs(model):
        for node in graph.graph.node:
            constants = graph.get_initializer(node.input[1]) if len(node.input) > 1 else None
            for name, amount in node_resources(node, PART, constants).items():
                total[name] += amount
    assert {name: total[name] for name in result.resources} == pytest.approx(result.resources)
    assert_same_logits(integers, model)


def test_less_time_takes_no_fewer_resources():
    costs = [cost(fold_for_cycles(small_hardware(), cycles).resources, BOARD) for cycles in (100, 200, 400, 1600)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1]


def test_folding_again_from_any_start_gives_the_same():
    model = small_hardware()
    first = fold_for_cycles(model, 200)
    fold_for_cycles(model, 1000)
    assert fold_for_cycles(model, 200) == first


def test_real_candidates_against_trying_everything():
    """Few enough combinations if some nodes have two candidates and the others one."""
    model = small_hardware()
    problem = folding_problem(model, PART, node_resources)
    for choice in problem.choices:
        ordered = sorted(choice.candidates, key=lambda one: (one.cycles, cost(one.resources, BOARD)))
        keep = 2 if any(kind in choice.name for kind in ("IndexedThresholding", "MVAU", "Depthwise", "Fork")) else 1
        choice.candidates[:] = [ordered[0], ordered[len(ordered) // 2]][:keep]
    combinations = product(*(choice.candidates for choice in problem.choices))
    best = min(cost(total_resources(problem, list(chosen)), BOARD) for chosen in combinations)
    assert solve(problem, 10**6, BOARD).cost == pytest.approx(best)


def test_an_impossible_budget_names_node_and_best():
    with pytest.raises(InfeasibleTarget) as caught:
        fold_for_cycles(small_hardware(), 20)
    best = caught.value.best
    assert best is not None
    assert "cycles per frame at its most parallel" in str(caught.value)
    assert f"at best a frame takes {best.cycles_per_frame:,} cycles, limited by {best.limited_by}" in str(caught.value)
    assert fold_for_cycles(small_hardware(), best.cycles_per_frame).cycles_per_frame == best.cycles_per_frame
    with pytest.raises(InfeasibleTarget):
        fold_for_cycles(small_hardware(), best.cycles_per_frame - 1)


def test_the_passes_of_a_loop_are_part_of_the_reason():
    with pytest.raises(InfeasibleTarget, match=r"ODELoop_rtl_0_\w+ takes 48 cycles .* \(16 in each of 3 passes\)"):
        fold_for_cycles(small_hardware(), 40, pins={"ConvolutionInputGenerator_rtl_0": {"SIMD": 1}, **_slow_loop()})


def _slow_loop() -> dict[str, dict[str, int]]:
    """Pins that leave only body nodes to be too slow."""
    return {node.name: {"PE": 1, "SIMD": 1} for node, passes in all_nodes(small_hardware()) if passes == 1}


def test_highest_rate_within_a_share():
    results = {share: fold_for_share(small_hardware(), share=share) for share in (1.0, 0.02, 0.015)}
    for share, result in results.items():
        assert all(amount <= share * BOARD[name] for name, amount in result.resources.items())
        with pytest.raises(InfeasibleTarget):
            fold_for_cycles(small_hardware(), result.cycles_per_frame - 1, share=share)
    assert results[1.0].cycles_per_frame < results[0.015].cycles_per_frame


def test_a_share_too_small_for_anything():
    with pytest.raises(
        InfeasibleTarget, match=r"takes [\d,]+ LUT of 230, .* allowed on the ZCU104; no folding fits at all"
    ):
        fold_for_share(small_hardware(), share=0.001)


@pytest.mark.parametrize("share", [0, -0.5, 1.5])
def test_share_out_of_range(share):
    with pytest.raises(UserError, match="share of the board must be above 0 and at most 1"):
        fold_for_share(small_hardware(), share=share)


def test_unknown_board():
    with pytest.raises(UserError, match="`board` must be one of ZCU104, not 'PYNQ-Z1'"):
        fold_for_cycles(small_hardware(), 1000, "PYNQ-Z1")


def test_pins_stay_and_the_rest_adapts():
    model = small_hardware()
    pins = {"ODELoop_rtl_0_MVAU_rtl_0": {"PE": 1, "SIMD": 1, "ram_style": "block"}}
    result = fold_for_cycles(model, 110, pins=pins)
    assert result.limited_by == "ODELoop_rtl_0_MVAU_rtl_0"
    assert result.cycles_per_frame == 16 * 16 * 3
    node = next(node for node, _ in all_nodes(model) if node.name == "ODELoop_rtl_0_MVAU_rtl_0")
    assert {name: getCustomOp(node).get_nodeattr(name) for name in ("PE", "SIMD", "ram_style")} == next(
        iter(pins.values())
    )
    others = [getCustomOp(node).get_exp_cycles() * n for node, n in all_nodes(model) if "MVAU_rtl_0" not in node.name]
    assert sorted(others)[-2] <= 110


def test_a_pin_that_is_no_legal_folding():
    with pytest.raises(UserError, match="MVAU_rtl_0: PE must be one of 1, 2, 4, not 3"):
        fold_for_cycles(small_hardware(), 1000, pins={"MVAU_rtl_0": {"PE": 3}})


def test_estimates_can_be_swapped():
    def dear_dsps(node, part, constants):
        found = node_resources(node, part, constants)
        return found | {"DSP": 100 * found.get("DSP", 0)}

    usual, dear = small_hardware(), small_hardware()
    fewer = fold_for_cycles(dear, 500, resources=dear_dsps).resources["DSP"] / 100
    assert fewer <= fold_for_cycles(usual, 500).resources["DSP"]
