"""The limit on a lone frame's latency: kept, not without cost, no dearer than needed, refused where impossible."""

import tempfile
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from finn_flow.estimates.boards import board_resources
from finn_flow.estimates.memories import node_resources
from finn_flow.fifo_sizing.search import size_fifos
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.folding.problem import Problem, folding_problem
from finn_flow.folding.resources import cost
from finn_flow.folding.solve import solve, total_resources
from finn_flow.folding.target import InfeasibleTarget, fold_for_cycles
from finn_flow.netlist import write_netlist
from finn_flow.simulation.accelerator import SimulatedAccelerator
from tests.finn_flow.folding.small_networks import PART, small_hardware
from tests.finn_flow.netlist.one_block import CLOCK_NS
from tests.finn_flow.transformations.compiled import finish, hardware, integers
from tests.finn_flow.transformations.qonnx_graphs import ode_net

BOARD = board_resources("ZCU104")
BUDGET = 600


def two_loops():
    return hardware(integers(ode_net((3, 5), channels=4, size=8, state_output=False)))


def latency(problem: Problem, chosen) -> float:
    """Return the formula of `finn_flow.folding.latency`, written out."""
    pairs = list(zip(problem.choices, chosen, strict=True))
    iterations = {choice.stage: choice.iterations for choice in problem.choices if choice.iterations}
    bodies = {
        loop: max(one.cycles for choice, one in pairs if choice.iterations and choice.stage == loop) / count
        for loop, count in iterations.items()
    }
    stages = [
        max(
            [one.cycles for choice, one in pairs if not choice.iterations and choice.stage == stage]
            + [bodies[loop] for loop in (stage - 1, stage) if loop in bodies]
        )
        for stage in range(len(iterations) + 1)
    ]
    return sum(stages) + sum((count - 2) * bodies[loop] for loop, count in iterations.items())


def test_stages_and_iterations():
    problem = folding_problem(two_loops(), PART, node_resources)
    assert {(choice.stage, choice.iterations) for choice in problem.choices} == {(0, 0), (0, 3), (1, 0), (1, 5), (2, 0)}
    bodies = [choice for choice in problem.choices if choice.passes > 1]
    assert bodies
    assert all(choice.passes == choice.iterations for choice in bodies)


@pytest.mark.parametrize("frames", [1.8, 1.6, 1.4])
def test_the_limit_holds_and_costs_something(frames):
    problem = folding_problem(two_loops(), PART, node_resources)
    free = solve(problem, BUDGET, BOARD)
    held = solve(problem, BUDGET, BOARD, latency_frames=frames)
    assert latency(problem, free.chosen) > frames * BUDGET >= latency(problem, held.chosen)
    assert held.cost > free.cost
    loose = solve(problem, BUDGET, BOARD, latency_frames=latency(problem, free.chosen) / BUDGET + 1e-6)
    assert loose.cost == pytest.approx(free.cost)


def test_against_trying_everything():
    problem = folding_problem(small_hardware(), PART, node_resources)
    for choice in problem.choices:
        ordered = sorted(choice.candidates, key=lambda one: (one.cycles, cost(one.resources, BOARD)))
        keep = 2 if any(kind in choice.name for kind in ("MVAU", "Depthwise", "Fork")) else 1
        choice.candidates[:] = [ordered[0], ordered[len(ordered) // 2]][:keep]
    found = [
        (latency(problem, chosen), cost(total_resources(problem, list(chosen)), BOARD))
        for chosen in product(*(choice.candidates for choice in problem.choices))
    ]
    limits = sorted({one for one, _ in found})
    assert len(limits) > 2
    for limit in limits:
        best = min(price for one, price in found if one <= limit)
        assert solve(problem, 1000, BOARD, latency_frames=(limit + 1e-3) / 1000).cost == pytest.approx(best)


def test_an_impossible_limit_is_named():
    with pytest.raises(InfeasibleTarget, match=r"no folding lets a lone frame through in 0\.1 x 600 cycles; at best"):
        fold_for_cycles(two_loops(), BUDGET, latency_frames=0.1)


def simulated_latency(frames: float | None) -> tuple[int, float]:
    """First word in to last word out of a lone frame, in Verilator, and what the formula says, both in cycles."""
    ensure_finn()
    model = two_loops()
    problem = folding_problem(model, PART, node_resources)
    formula = latency(problem, solve(problem, BUDGET, BOARD, latency_frames=frames).chosen)
    fold_for_cycles(model, BUDGET, latency_frames=frames)
    sized, _, _ = size_fifos(finish(model), PART, CLOCK_NS)
    with tempfile.TemporaryDirectory() as folder:
        netlist = write_netlist(sized, Path(folder) / "rtl", PART, CLOCK_NS)
        (stream,) = netlist.inputs.values()
        codes = np.random.default_rng(0).integers(0, 256, (3, *stream.shape[1:]))
        with SimulatedAccelerator(netlist) as accelerator:
            run = accelerator.run(codes, frames_in_flight=1)
    return run.first_frame_latency_cycles, formula


def test_a_lone_frame_takes_what_the_formula_says_and_a_few_rows_per_pass() -> None:
    free, held = simulated_latency(None), simulated_latency(1.4)
    # Left out of the formula, in each of the 3 + 5 passes: two of the eight rows, for which a 3 x 3 window waits, and
    # the pipelines of the body's nodes.
    left_out = (3 + 5) * (2 / 8 * BUDGET / 5 + 80)
    for cycles, formula in (free, held):
        assert formula <= cycles <= formula + left_out
    assert held[0] < free[0]
