"""Fixed-step solvers as 2N-storage Runge-Kutta tables, shared by the models and the hardware."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Solver:
    """An explicit Runge-Kutta method that keeps the state `z` and one more register `d`.

    Stage i of a step of size h computes `d = A[i]·d + h·f(z, t + c[i]·h)` and then `z = z + B[i]·d`.

    Parameters
    ----------
    name
        What configs call it.
    order
        Order of accuracy.
    a, b, c
        One number per stage; a[0] and c[0] are 0 (the register starts empty, the method is explicit).
    Source
        Williamson, J. Comput. Phys. 35 (1980); Carpenter & Kennedy, NASA TM-109112 (1994).
    """

    name: str
    order: int
    a: tuple[float, ...]
    b: tuple[float, ...]
    c: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.a) == len(self.b) == len(self.c) >= 1:
            raise ValueError(f"{self.name}: a, b and c need one entry per stage each")
        if self.a[0] != 0 or self.c[0] != 0:
            raise ValueError(f"{self.name}: a[0] and c[0] must be 0, not {self.a[0]} and {self.c[0]}")

    @property
    def stages(self) -> int:
        """Number of evaluations of the vector field per step."""
        return len(self.a)


EULER = Solver("euler", order=1, a=(0.0,), b=(1.0,), c=(0.0,))
SOLVERS = {solver.name: solver for solver in [EULER]}
