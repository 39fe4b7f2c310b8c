"""`dsode build`: a QONNX model through the FINN flow."""

from __future__ import annotations

from pathlib import Path

import click

from finn_flow.cli.configurations import ConfigurationFile
from finn_flow.cli.output import give, json_option, progress
from finn_flow.configurations import BUILDS


@click.command("build")
@click.argument("config", type=ConfigurationFile(BUILDS), metavar="CONFIG|FOLDER")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="QONNX file from `dsode export`, or zoo:NAME, a network that ships.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for reports and hardware.")
@json_option
def command(config: Path, model: Path | None, out: Path | None, as_json: bool) -> None:
    """Run the steps of a FINN build configuration on a QONNX model.

    CONFIG is a JSON or YAML file, or the name of one that ships: those in build_configs, without .json. A FOLDER by
    FINN's convention, with dataflow_build_config.json and model.onnx, needs neither --model nor --out.

    Without Vivado the flow ends before the first step that needs it, and the outputs left out are named.

    A network of the zoo is exported into the folder first, with its golden files.

    The graphs after each step are in OUT/intermediate_models; Netron (netron.app) shows them.

    Example: dsode build zcu104 --model model.onnx --out build
    """
    from finn_flow.api.building import build

    give(build(config, model, out, progress), as_json)
