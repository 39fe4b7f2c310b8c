"""`dsode package`: the deployment package for the board."""

from __future__ import annotations

from pathlib import Path

import click

from finn_flow.cli.output import give, json_option


@click.command("package")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--golden",
    type=click.Path(path_type=Path),
    help="Golden file of `dsode export`, for the sample images. Default: the build's own; without one, random images.",
)
@click.option("--samples", type=click.IntRange(1, 1_000_000), help="Number of sample images; default: all golden ones.")
@json_option
def command(folder: Path, golden: Path | None, samples: int | None, as_json: bool) -> None:
    """Make the deployment package of the build in DIR: the folder DIR/deploy, and DIR/deploy.zip of it.

    Where Vivado has built no bitfile, the package holds sources and a script that builds it on another machine.

    Example: dsode package build --golden golden.npz
    """
    from finn_flow.api.packaging import package

    give(package(folder, golden, samples=samples), as_json)
