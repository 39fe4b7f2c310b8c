"""`train`: a quantised network with domain adaptation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finn_flow.api.result import Result
from finn_flow.configurations import TRAININGS, configuration
from finn_flow.progress import Progress, task, unheard
from finn_flow.tables import Table


@dataclass(frozen=True)
class Training(Result):
    """A training that is done.

    Parameters
    ----------
    folder
        Holds `checkpoint.pt`, `metrics.json`, `curves.png` and `mistakes.png`.
    metrics
        The content of `metrics.json`.
    """

    folder: Path
    metrics: dict[str, Any]

    @property
    def accuracy(self) -> float:
        """Of the quantised network on the target's test images, 0 to 1."""
        return float(self.metrics["accuracy"]["quantised"]["target"])

    def tables(self) -> tuple[Table, ...]:
        """Return the accuracy of each phase on both domains."""
        from brevitas_models.training.results import LABELS

        metrics = self.metrics
        rows = [
            (LABELS[name], f"{found['target']:.1%}", f"{found['source']:.1%}")
            for name, found in metrics["accuracy"].items()
        ]
        columns = ("training", f"{metrics['target']} (target)", f"{metrics['source']} (source)")
        return (Table("Accuracy on the test images", columns, rows),)

    def lines(self) -> tuple[str, ...]:
        """Return how long it took and where it is."""
        metrics = self.metrics
        return (f"{metrics['seconds']:.0f} s, {metrics['cpu_seconds']:.0f} CPU s; results in {self.folder}",)

    def to_json(self) -> dict[str, Any]:
        """Return the metrics."""
        return self.metrics


def train(config: str | Path, out: str | Path, progress: Progress = unheard) -> Training:
    """Train a quantised network on labelled source images and unlabelled target images.

    An interrupted training goes on where it was; one that is done is returned as it is.

    Parameters
    ----------
    config
        A JSON file, or the name of a training configuration that ships (`quick`).
    out
        Folder for the results.
    progress
        Receives a line per epoch.

    Raises
    ------
    UserError
        A bad configuration, data that are not in the cache, a folder that cannot be written.
    FlowError
        The disk is full.
    """
    from brevitas_models.training import load_training_config

    settings = load_training_config(configuration(config, TRAININGS))
    return Training(Path(out), run_training(settings, Path(out), progress))


def run_training(settings: Any, folder: Path, progress: Callable[[str], None]) -> dict[str, Any]:
    """Train by settings that are loaded already, and return the metrics; whoever waits hears of every step."""
    from brevitas_models.training import train as run

    with task("training", "steps") as work:
        return run(
            settings,
            folder,
            report=progress,
            on_progress=lambda what, done, total: work.advance(done, total, what),
        )
