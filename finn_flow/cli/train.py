"""`dsode train`: train a quantised network with domain adaptation."""

import os
from pathlib import Path
from typing import Any

import click

from finn_flow.cli.configurations import TRAININGS, ConfigurationFile
from finn_flow.cli.output import console, json_option, print_json, progress


@click.command(name="train")
@click.argument("config", type=ConfigurationFile(TRAININGS))
@click.option("--out", "folder", type=click.Path(path_type=Path), required=True, help="Folder for the results.")
@json_option
def command(config: Path, folder: Path, as_json: bool) -> None:
    """Train a quantised network on labelled source images and unlabelled target images.

    CONFIG is a JSON file, or the name of one that ships: those in build_configs/train, without .json. Three phases:
    float on the source alone (the baseline), float with adaptation, quantised with adaptation. The state is saved
    after every epoch: the same command again goes on after an interruption. Writes checkpoint.pt, metrics.json,
    curves.png and TensorBoard logs.

    Several processes share a training when torchrun starts them (of one GPU each, or of processor cores), and are
    started again, with --max-restarts, when one dies: torchrun --nproc-per-node 2 --max-restarts 3 --no-python dsode
    train CONFIG --out DIR

    Example: dsode train quick --out runs/quick
    """
    import torch

    from brevitas_models.training import load_training_config, processes

    settings = load_training_config(config)
    with processes.joined("TORCHELASTIC_RUN_ID" in os.environ, settings.device != "cpu" and torch.cuda.is_available()):
        if processes.rank() > 0:
            _follow(settings, folder)
        else:
            _lead(settings, folder, as_json)


def _follow(settings: Any, folder: Path) -> None:
    """Train as one of several processes, silently."""
    from brevitas_models.training import train

    train(settings, folder)


def _lead(settings: Any, folder: Path, as_json: bool) -> None:
    """Train, show progress and print the results."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from brevitas_models.training import train

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} steps"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("loading", total=None)
        try:
            metrics = train(
                settings,
                folder,
                report=bar.console.print if bar.console.is_terminal else progress,
                on_progress=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
            )
        except KeyboardInterrupt:
            progress(f"stopped; the epochs that are done are in {folder}, the same command goes on from there")
            raise
    if as_json:
        print_json(metrics)
    else:
        _print(metrics, folder)


def _print(metrics: dict[str, Any], folder: Path) -> None:
    from rich.table import Table

    from brevitas_models.training.results import LABELS

    source, target = metrics["source"], metrics["target"]
    table = Table("training", f"{target} (target)", f"{source} (source)", title="Accuracy on the test images")
    for name, accuracy in metrics["accuracy"].items():
        table.add_row(LABELS[name], f"{accuracy['target']:.1%}", f"{accuracy['source']:.1%}")
    console().print(table)
    console().print(f"{metrics['seconds']:.0f} s, {metrics['cpu_seconds']:.0f} CPU s; results in {folder}", style=None)
