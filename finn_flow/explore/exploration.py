"""What an exploration has found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finn_flow.api.result import Result
from finn_flow.errors import UserError
from finn_flow.explore.evaluate import RESULT
from finn_flow.explore.front import pareto_front
from finn_flow.explore.space import DIRECTIONS, Space
from finn_flow.json_files import read_json_object
from finn_flow.tables import Table

SPACE = "space.json"
PAGE = "explore.html"


@dataclass(frozen=True)
class Exploration(Result):
    """What has been found so far.

    Parameters
    ----------
    folder
        Of the exploration.
    space
        What was explored.
    results
        Of every candidate that was evaluated, by its folder's name.
    """

    folder: Path
    space: Space
    results: dict[str, dict[str, Any]]

    @property
    def figures(self) -> dict[str, dict[str, float]]:
        """The figures of every candidate that can be built."""
        return {name: found["figures"] for name, found in self.results.items() if "figures" in found}

    @property
    def front(self) -> list[str]:
        """The candidates that no other beats, by name."""
        return pareto_front(self.figures, self.space.objectives)

    @property
    def page(self) -> Path:
        """The page about it."""
        return self.folder / PAGE

    def chosen(self, name: str) -> dict[str, Any]:
        """Return what was chosen for a candidate, by the choices' names."""
        candidate = self.results[name]["candidate"]
        return {choice.name: _value_at(candidate, choice.name) for choice in self.space.choices()}

    def table(self, caption: str, names: Sequence[str]) -> Table:
        """Return figures and choices of some candidates."""
        choices = [choice.name for choice in self.space.choices()]
        shown = [figure for figure in DIRECTIONS if any(figure in self.figures[name] for name in names)]
        rows = []
        for name in names:
            chosen = (json.dumps(value) for value in self.chosen(name).values())
            rows.append((name, *(_shown(figure, self.figures[name][figure]) for figure in shown), *chosen))
        return Table(caption, ("candidate", *shown, *choices), rows)

    def tables(self) -> tuple[Table, ...]:
        """Return the front."""
        count = len(self.figures)
        return (self.table(f"Pareto front of {count} candidates in {', '.join(self.space.objectives)}", self.front),)

    def lines(self) -> tuple[str, ...]:
        """Return how many could not be built, and where the page is."""
        failed = len(self.results) - len(self.figures)
        return (*([f"{failed} could not be built"] if failed else []), f"{self.page}")

    def to_json(self) -> dict[str, Any]:
        """Return every candidate, and the names of those of the front."""
        return {"folder": str(self.folder), "page": str(self.page), "front": self.front, "candidates": self.results}


def _value_at(candidate: dict[str, Any], name: str) -> Any:
    value: Any = candidate
    for key in name.split("."):
        value = value[key]
    return value


def _shown(figure: str, value: float) -> float | int | str:
    return f"{value:.2%}" if figure == "accuracy" else round(value) if figure != "BRAM36" else float(value)


def open_exploration(folder: Path) -> Exploration:
    """Return what an exploration's folder holds.

    Raises
    ------
    UserError
        It holds none.
    """
    if not (folder / SPACE).is_file():
        raise UserError(f"{folder} holds no exploration; make one with `dsode explore SPACE.json --out {folder}`")
    space = Space.model_validate(read_json_object(folder / SPACE))
    paths = sorted((folder / "candidates").glob(f"*/{RESULT}"))
    return Exploration(folder, space, {path.parent.name: read_json_object(path) for path in paths})
