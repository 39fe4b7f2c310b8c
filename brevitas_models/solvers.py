"""Fixed-step Runge-Kutta methods in which the state is only ever added to, shared by the models and the hardware.

Each evaluation of the field is used at most twice, once for the next argument of the field and once for the solution,
and each use is an addition of that evaluation times one constant. On integers the constant belongs to the
quantisation of the evaluation, so that the registers need an adder each, and no multiplier.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import isclose


@dataclass(frozen=True)
class Solver:
    """An explicit Runge-Kutta method that keeps two or three states.

    `z` is the argument of the field, `x` the solution as far as it is known, `y` the state at the start of the step.
    Stage i of a step of size h evaluates `k = h·f(z, t + c[i]·h)` and then

        z = x + a[i]·k     (z = y + a[i]·k if `from_start`)
        x = x + b[i]·k     (with the x of before on the right of both)

    After the last stage all of them are x. Methods without `from_start` are those of van der Houwen: `y` is not needed.
    The single stage of Euler's method needs one state only.

    Parameters
    ----------
    name
        What configs call it.
    order
        Order of accuracy.
    a
        Weight of each stage but the last in the field's next argument.
    b
        Weight of each stage in the solution; their sum is 1.
    from_start
        Whether arguments are measured from the start of the step.

    Raises
    ------
    ValueError
        The table is none: `a` and `b` do not fit, or the weights in `b` do not add up to 1.

    Source
    ------
    P. J. van der Houwen, Construction of Integration Formulas for Initial Value Problems (1977); A. A. Wray (1990);
    C. A. Kennedy, M. H. Carpenter, R. M. Lewis, Appl. Numer. Math. 35 (2000).
    """

    name: str
    order: int
    a: tuple[float, ...]
    b: tuple[float, ...]
    from_start: bool = False

    def __post_init__(self) -> None:
        if len(self.b) != len(self.a) + 1:
            raise ValueError(
                f"{self.name}: b must have one weight per stage and a one for each but the last, "
                f"not {len(self.b)} and {len(self.a)}"
            )
        if not isclose(sum(self.b), 1.0, abs_tol=1e-12):
            raise ValueError(f"{self.name}: the weights b must add up to 1, not to {sum(self.b)}")

    @property
    def stages(self) -> int:
        """Number of evaluations of the vector field per step."""
        return len(self.b)

    @property
    def states(self) -> int:
        """How many states there are: 1 (Euler), 2, or 3 with `from_start`."""
        return 1 if self.stages == 1 else 2 + self.from_start

    @property
    def c(self) -> tuple[float, ...]:
        """Time of each stage, as a fraction of the step: what is in its argument by then."""
        known = [0.0] * len(self.a) if self.from_start else list(accumulate(self.b[:-1], initial=0.0))
        return (0.0, *(known + weight for known, weight in zip(known, self.a, strict=False)))

    @property
    def uses(self) -> tuple[tuple[float, ...], ...]:
        """Weights of the uses of an evaluation, one row of all stages per use: next argument, solution."""
        return (self.b,) if self.states == 1 else ((*self.a, self.b[-1]), self.b)


_SOLVERS = [
    Solver("euler", order=1, a=(), b=(1.0,)),
    Solver("midpoint", order=2, a=(1 / 2,), b=(0.0, 1.0)),
    Solver("heun", order=2, a=(1.0,), b=(1 / 2, 1 / 2)),
    # Wray's method.
    Solver("low_storage_rk3", order=3, a=(8 / 15, 5 / 12), b=(1 / 4, 0.0, 3 / 4)),
    Solver("rk4", order=4, a=(1 / 2, 1 / 2, 1.0), b=(1 / 6, 1 / 3, 1 / 3, 1 / 6), from_start=True),
    # RK4(3)5[2R+]C of Kennedy, Carpenter and Lewis.
    Solver(
        "low_storage_rk4",
        order=4,
        a=(
            970286171893 / 4311952581923,
            6584761158862 / 12103376702013,
            2251764453980 / 15575788980749,
            26877169314380 / 34165994151039,
        ),
        b=(
            1153189308089 / 22510343858157,
            1772645290293 / 4653164025191,
            -1672844663538 / 4480602732383,
            2114624349019 / 3568978502595,
            5198255086312 / 14908931495163,
        ),
    ),
]
SOLVERS = {solver.name: solver for solver in _SOLVERS}
