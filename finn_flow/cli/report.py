"""`dsode report`: one page about a build."""

from __future__ import annotations

from pathlib import Path

import click

from finn_flow.cli.output import console, json_option, print_json


@click.command("report")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--training",
    type=click.Path(path_type=Path),
    help="Folder of `dsode train`, for the accuracies. Default: the folder around DIR, if it is one.",
)
@json_option
def command(folder: Path, training: Path | None, as_json: bool) -> None:
    """Write what is known of the build in DIR to one page, DIR/report/report.html, and to report.json beside it.

    The page works offline and prints. What is not known yet is named on it, with the command that finds it out.

    Example: dsode report build
    """
    from finn_flow.build_folder import BuildFolder
    from finn_flow.report.write import write_report

    data = write_report(folder, training)
    if as_json:
        print_json({"page": str(BuildFolder(folder).page), "data": str(BuildFolder(folder).page_data), **data})
        return
    out = console()
    out.print(f"{BuildFolder(folder).page}", soft_wrap=True)
    for missing in data["missing"]:
        out.print(f"  not known yet: {missing['what']}; {missing['command']}", soft_wrap=True)
