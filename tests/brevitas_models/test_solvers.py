import math

import pytest

from brevitas_models.solvers import SOLVERS, Solver


def integrate(solver, steps):
    """z(1) of z' = z·cos(t), z(0) = 1, by the 2N-storage formula."""
    z, h = 1.0, 1 / steps
    for step in range(steps):
        d = 0.0
        for a, b, c in zip(solver.a, solver.b, solver.c, strict=True):
            d = a * d + h * z * math.cos((step + c) * h)
            z += b * d
    return z


@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS.keys())
def test_empirical_order(solver):
    exact = math.exp(math.sin(1.0))
    coarse, fine = (abs(integrate(solver, steps) - exact) for steps in (64, 128))
    assert math.log2(coarse / fine) == pytest.approx(solver.order, abs=0.1)


@pytest.mark.parametrize(
    ("a", "b", "c", "message"),
    [
        ((0.0, -0.5), (1.0,), (0.0,), "a, b and c need one entry per stage each"),
        ((), (), (), "a, b and c need one entry per stage each"),
        ((0.5,), (1.0,), (0.0,), r"a\[0\] and c\[0\] must be 0, not 0.5 and 0.0"),
        ((0.0,), (1.0,), (0.5,), r"a\[0\] and c\[0\] must be 0, not 0.0 and 0.5"),
    ],
)
def test_tables_are_checked(a, b, c, message):
    with pytest.raises(ValueError, match=f"mine: {message}"):
        Solver("mine", 1, a, b, c)


def test_a_block_is_the_solver(monkeypatch):
    """An ODE block with a field of our own integrates it as the table says."""
    import torch

    from brevitas_models.config import NetworkConfig
    from brevitas_models.layers import FloatLayers
    from brevitas_models.ode_block import ODEBlock

    config = NetworkConfig(in_channels=1, image_size=[2, 2], channels=[1], iterations=[32])
    block = ODEBlock(config, FloatLayers(), 1, 32)
    monkeypatch.setattr(block.field, "forward", lambda z, evaluation: z * math.cos(evaluation / 32) / 32)
    result = block(torch.ones(1, 1, 2, 2, dtype=torch.float64))
    assert result.flatten().tolist() == pytest.approx([integrate(SOLVERS["euler"], 32)] * 4)
