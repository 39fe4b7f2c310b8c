"""`dsode report`: one page about a build."""

from __future__ import annotations

from pathlib import Path

import click

from finn_flow.cli.output import give, json_option


@click.command("report")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--training",
    type=click.Path(path_type=Path),
    help="Folder of `dsode train`, for the accuracies. Default: what `dsode export` kept of the model's training.",
)
@json_option
def command(folder: Path, training: Path | None, as_json: bool) -> None:
    """Write what is known of the build in DIR to one page, DIR/report/report.html, and to report.json beside it.

    The page works offline and prints. What is not known yet is named on it, with the command that finds it out.

    Example: dsode report build
    """
    from finn_flow.api.reporting import report

    give(report(folder, training), as_json)
