"""What a training leaves behind for people: metrics, curves and TensorBoard logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brevitas_models.training.config import PHASES, TrainingConfig
from brevitas_models.training.run_state import RunState
from brevitas_models.training.scores import UnlabelledScores, adaptation_warnings
from finn_flow.files import atomic_path, atomic_write_json

METRICS_FILE, CURVES_FILE, EVENTS_FOLDER = "metrics.json", "curves.png", "tensorboard"
LABELS = {
    "source_only": "float, source only",
    "float": "float, adapted",
    "quantised": "quantised, adapted",
}


class EventLog:
    """TensorBoard scalars, one point per epoch; entries after the last saved epoch are dropped on resuming."""

    def __init__(self, folder: Path, history: list[dict[str, Any]]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder / EVENTS_FOLDER), purge_step=len(history) + 1)

    def write(self, epoch: int, entry: dict[str, Any]) -> None:
        """Add a history entry as epoch `epoch`, counted over all phases from 1."""
        for name, value in entry["losses"].items():
            self._writer.add_scalar(f"loss/{name}", value, epoch)
        for domain in ("source", "target"):
            self._writer.add_scalar(f"accuracy/{domain}", entry[f"{domain}_accuracy"], epoch)
        self._writer.flush()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *exception: object) -> None:
        self._writer.close()


def write_results(folder: Path, config: TrainingConfig, state: RunState, test_images: dict[str, int]) -> dict[str, Any]:
    """Write `metrics.json` and `curves.png` of a finished training; returns the metrics.

    Parameters
    ----------
    test_images
        How many images the accuracies are of, for "source" and "target".
    """
    metrics = {
        "source": config.source.name,
        "target": config.target.name,
        "accuracy": state.accuracy,
        "test_images": test_images,
        "confusion": state.confusion,
        "unlabelled_scores": state.scores,
        "warnings": _warnings(state),
        "adaptation": [loss.name for loss in config.adaptation],
        "training": state.config,
        "seconds": round(state.seconds, 1),
        "cpu_seconds": round(state.cpu_seconds, 1),
        "history": state.history,
    }
    atomic_write_json(folder / METRICS_FILE, metrics)
    draw_curves(folder / CURVES_FILE, config, state)
    return metrics


def _warnings(state: RunState) -> list[str]:
    first, last = PHASES[0], PHASES[-1]
    return adaptation_warnings(
        UnlabelledScores(**state.scores[first]),
        UnlabelledScores(**state.scores[last]),
        state.accuracy[first]["source"],
        state.accuracy[last]["source"],
    )


def draw_curves(path: Path, config: TrainingConfig, state: RunState) -> None:
    """Draw the accuracy on both domains and the losses over the epochs of all phases as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(10, 7), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True)
    epochs = range(1, len(state.history) + 1)
    for domain, dataset, marker, colour in (
        ("target", config.target, "o", "black"),
        ("source", config.source, "s", "tab:orange"),
    ):
        accuracies = [entry[f"{domain}_accuracy"] for entry in state.history]
        upper.plot(epochs, accuracies, marker=marker, markersize=4, color=colour, label=f"{dataset.name} ({domain})")
    upper.yaxis.set_major_formatter(PercentFormatter(1.0))
    upper.set_ylabel("accuracy on test images")
    upper.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), title="domain")
    for name in dict.fromkeys(name for entry in state.history for name in entry["losses"]):
        points = {epoch: entry["losses"].get(name) for epoch, entry in zip(epochs, state.history, strict=True)}
        known = {epoch: value for epoch, value in points.items() if value is not None}
        lower.plot(list(known), list(known.values()), marker=".", label=name)
    lower.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), title="loss")
    lower.set_ylabel("loss, unweighted")
    lower.set_xlabel("epoch")
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    _shade_phases(upper, lower, config, state)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)


def _shade_phases(upper: Any, lower: Any, config: TrainingConfig, state: RunState) -> None:
    """Draw a band for each phase, with its name and what it reached on the target's test images above it."""
    first = 0
    for position, name in enumerate(PHASES):
        last = first + config.epochs(name)
        for axes in (upper, lower):
            axes.axvspan(first + 0.5, last + 0.5, color="tab:blue", alpha=0.04 + 0.05 * position, linewidth=0)
        upper.text(
            (first + last + 1) / 2,
            1.02,
            f"{LABELS[name]}\n{state.accuracy[name]['target']:.1%}",
            transform=upper.get_xaxis_transform(),
            ha="center",
            va="bottom",
        )
        first = last
    lower.set_xlim(0.5, first + 0.5)
