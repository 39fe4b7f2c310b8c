"""How commands print: results on standard output, progress and messages on standard error."""

import json
from typing import Any

import click
from rich.console import Console

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


def progress(line: str) -> None:
    """Print a line for the person who waits; never on standard output."""
    click.echo(line, err=True)


def print_json(value: dict[str, Any]) -> None:
    """Print the result of a command with `--json`: one object on standard output."""
    click.echo(json.dumps(value, indent=2))


def console() -> Console:
    """Return a rich console on standard output; at least 120 columns wide where there is no terminal."""
    found = Console(highlight=False)
    if not found.is_terminal:
        found = Console(highlight=False, width=max(120, found.width))
    return found
