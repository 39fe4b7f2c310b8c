"""`dsode train`: train a quantised network with domain adaptation."""

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

    Example: dsode train quick --out runs/quick
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from brevitas_models.training import load_training_config, train

    settings = load_training_config(config)
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
