"""Configurations of the candidates that meet a user's conditions."""

from __future__ import annotations

import shutil
from pathlib import Path

from finn_flow.api.result import Result
from finn_flow.errors import FlowError
from finn_flow.explore.deepen import CONFIGURATION
from finn_flow.explore.evaluate import build_settings, whole_training
from finn_flow.explore.exploration import Exploration
from finn_flow.explore.front import pareto_front, parse_conditions
from finn_flow.files import atomic_write_json
from finn_flow.tables import Table

FOLDER = "best"


class Best(Result):
    """The best candidates that meet conditions.

    Parameters
    ----------
    exploration
        Where they are from.
    names
        Theirs, the best in the first objective first.
    folder
        Holds a folder of configurations for each.
    """

    def __init__(self, exploration: Exploration, names: list[str], folder: Path) -> None:
        self.exploration, self.names, self.folder = exploration, names, folder

    def tables(self) -> tuple[Table, ...]:
        """Return figures and choices."""
        return (self.exploration.table("Candidates that meet the conditions and that no other such beats", self.names),)

    def lines(self) -> tuple[str, ...]:
        """Return where the configurations are."""
        return (f"{self.folder}: build.json, and train.json or network.json, for each",)

    def to_json(self) -> dict[str, object]:
        """Return names, figures and the folder."""
        figures = {name: self.exploration.figures[name] for name in self.names}
        return {"folder": str(self.folder), "best": self.names, "figures": figures}


def write_best(exploration: Exploration, conditions: str) -> Best:
    """Write the configurations of the candidates that meet `conditions`, "LUT<60000, fps>20000", replacing others.

    Raises
    ------
    UserError
        Conditions that cannot be read.
    FlowError
        No candidate meets them.
    """
    wanted = parse_conditions(conditions)
    meeting = {
        name: figures
        for name, figures in exploration.figures.items()
        if all(condition.holds(figures) for condition in wanted)
    }
    if not meeting:
        raise FlowError(f"none of {len(exploration.figures)} candidates meets {conditions!r}")
    names = pareto_front(meeting, exploration.space.objectives)
    folder = exploration.folder / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    for name in names:
        candidate = exploration.results[name]["candidate"]
        settings = build_settings({**candidate["build"], "config": CONFIGURATION})
        atomic_write_json(folder / name / "build.json", settings)
        if candidate["training"] is not None:
            training = whole_training(candidate["training"], candidate["network"])
            atomic_write_json(folder / name / "train.json", training)
        else:
            atomic_write_json(folder / name / "network.json", candidate["network"])
    return Best(exploration, names, folder)
