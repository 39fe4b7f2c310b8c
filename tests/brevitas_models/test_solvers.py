import math

import pytest
import torch

from brevitas_models.config import NetworkConfig
from brevitas_models.layers import FloatLayers
from brevitas_models.ode_block import ODEBlock
from brevitas_models.solvers import SOLVERS, Solver

EXACT = math.exp(math.sin(1.0))


def tableau(solver):
    """The Butcher matrix of a table."""
    known = [0.0] * solver.stages
    rows = [list(known)]
    for stage, weight in enumerate(solver.a):
        row = [0.0] * solver.stages if solver.from_start else list(known)
        row[stage] = weight
        rows.append(row)
        known[stage] = solver.b[stage]
    return rows


def integrate(solver, steps):
    """z(1) of z' = z·cos(t), z(0) = 1, by the Runge-Kutta formula of the tableau."""
    z, h, rows = 1.0, 1 / steps, tableau(solver)
    for step in range(steps):
        k = []
        for row in rows:
            argument = z + sum(weight * known for weight, known in zip(row, k, strict=False))
            k.append(h * argument * math.cos((step + sum(row)) * h))
        z += sum(weight * known for weight, known in zip(solver.b, k, strict=True))
    return z


def block_with_field(solver, steps, monkeypatch):
    """The float twin's block around a field of our own, z·cos(t)."""
    config = NetworkConfig(in_channels=1, image_size=[2, 2], channels=[1], iterations=[2], solver=solver.name)
    block = ODEBlock(config, FloatLayers(), 1, steps)

    def field(z, evaluation):
        step, stage = divmod(evaluation, solver.stages)
        derivative = z * math.cos((step + solver.c[stage]) / steps)
        return [use[stage] / steps * derivative for use in solver.uses]

    monkeypatch.setattr(block.field, "forward", field)
    return lambda: float(block(torch.ones(1, 1, 1, 1, dtype=torch.float64)))


each_solver = pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS.keys())


@each_solver
def test_a_block_is_the_solver(solver, monkeypatch):
    assert block_with_field(solver, 8, monkeypatch)() == pytest.approx(integrate(solver, 8), rel=1e-13)


@each_solver
def test_order_of_convergence_of_a_block(solver, monkeypatch):
    coarse, fine = (abs(block_with_field(solver, steps, monkeypatch)() - EXACT) for steps in (32, 64))
    assert math.log2(coarse / fine) == pytest.approx(solver.order, abs=0.1)


@each_solver
def test_times_are_what_the_argument_holds(solver):
    assert solver.c == pytest.approx([sum(row) for row in tableau(solver)])


def test_the_quantised_field_gives_weighted_increments():
    """Each use is h·w·f quantised, also where w is negative."""
    from brevitas_models.untrained import untrained_network

    config = NetworkConfig(
        in_channels=1, image_size=[4, 4], channels=[2], iterations=[2], solver="low_storage_rk4", time="none"
    )
    block = untrained_network(config, 1).eval().ode_blocks[0]
    z = torch.randn(3, 2, 4, 4) * 4
    quantise = block.field.activations[-1]
    for evaluation in range(10):
        stage = evaluation % 5
        norm = block.field.norms[-1]
        norm.gains, gains = ((0.5,) * 10, (0.5,) * 10), norm.gains
        block.field.activations[-1] = torch.nn.Identity()
        half = block.field(z, evaluation)[0]
        block.field.activations[-1], norm.gains = quantise, gains
        for found, use in zip(block.field(z, evaluation), block.solver.uses, strict=True):
            distance = (found - quantise(half * use[stage])).abs().max()
            assert distance <= quantise.act_quant.scale(), (evaluation, use)
    assert any(weight < 0 for weight in block.solver.b)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ((), (), "b must have one weight per stage and a one for each but the last, not 0 and 0"),
        ((0.5, 0.5), (0.5, 0.5), "b must have one weight per stage and a one for each but the last, not 2 and 2"),
        ((0.5,), (0.5, 0.25), "the weights b must add up to 1, not to 0.75"),
    ],
)
def test_tables_are_checked(a, b, message):
    with pytest.raises(ValueError, match=f"mine: {message}"):
        Solver("mine", 1, a, b)
