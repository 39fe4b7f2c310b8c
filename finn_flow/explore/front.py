"""Which candidates nothing else beats, and which meet a user's conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from finn_flow.errors import UserError
from finn_flow.explore.space import DIRECTIONS

Figures = Mapping[str, float]

_CONDITION = re.compile(r"\s*([A-Za-z_0-9]+)\s*(<=|>=|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*%?\s*")
_SHORT = {"fps": "frames_per_second", "latency": "latency_cycles", "BRAM": "BRAM36"}


@dataclass(frozen=True)
class Condition:
    """What a figure must be, compared with a number."""

    figure: str
    relation: str
    bound: float

    def holds(self, figures: Figures) -> bool:
        """Whether a candidate meets it; one without this figure does not."""
        value = figures.get(self.figure)
        if value is None:
            return False
        match self.relation:
            case "<":
                return value < self.bound
            case "<=":
                return value <= self.bound
            case ">":
                return value > self.bound
        return value >= self.bound


def parse_conditions(text: str) -> list[Condition]:
    """Read conditions such as "LUT<60000, fps>20000, accuracy>=95%".

    Raises
    ------
    UserError
        Not a comparison of a known figure with a number.
    """
    conditions = []
    for part in text.split(","):
        match = _CONDITION.fullmatch(part)
        name = _SHORT.get(match[1], match[1]) if match else ""
        if match is None or name not in DIRECTIONS:
            names = ", ".join([*DIRECTIONS, *_SHORT])
            text = part.strip()
            raise UserError(f"a condition must be FIGURE<NUMBER (or >, <=, >=), FIGURE one of {names}, not {text!r}")
        conditions.append(Condition(name, match[2], float(match[3]) / (100 if "%" in part else 1)))
    return conditions


def dominates(a: Figures, b: Figures, objectives: Sequence[str]) -> bool:
    """Whether `a` is as good as `b` in every objective, and better in one."""
    signs = [1 if DIRECTIONS[name] == "maximize" else -1 for name in objectives]
    differences = [sign * (a[name] - b[name]) for sign, name in zip(signs, objectives, strict=True)]
    return min(differences) >= 0 and max(differences) > 0


def pareto_front(candidates: Mapping[str, Figures], objectives: Sequence[str]) -> list[str]:
    """Return the names of the candidates that no other dominates, the best in the first objective first."""
    front = [
        name
        for name, figures in candidates.items()
        if not any(dominates(other, figures, objectives) for other in candidates.values())
    ]
    first = objectives[0]
    return sorted(front, key=lambda name: candidates[name][first], reverse=DIRECTIONS[first] == "maximize")
