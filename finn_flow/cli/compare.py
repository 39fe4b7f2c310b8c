"""`dsode compare`: builds side by side."""

from __future__ import annotations

from pathlib import Path

import click

from finn_flow.cli.output import give, json_option


@click.command("compare")
@click.argument("folders", metavar="DIR DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def command(folders: tuple[Path, ...], as_json: bool) -> None:
    """Show what is known of builds side by side: cycles, accuracy, resources, and how their configurations differ.

    Example: dsode compare build-4-bit build-3-bit
    """
    from finn_flow.api.comparing import compare

    give(compare(*folders), as_json)
