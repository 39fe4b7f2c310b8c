"""`dsode train`: train a quantised network with domain adaptation."""

import os
from pathlib import Path
from typing import Any

import click

from finn_flow.cli.configurations import ConfigurationFile
from finn_flow.cli.output import give, json_option, progress
from finn_flow.configurations import TRAININGS


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
    from finn_flow.api.training import Training, run_training

    try:
        metrics = run_training(settings, folder, progress)
    except KeyboardInterrupt:
        progress(f"stopped; the epochs that are done are in {folder}, the same command goes on from there")
        raise
    give(Training(folder, metrics), as_json)
