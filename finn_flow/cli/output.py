"""How commands print: results on standard output, progress and messages on standard error."""

import json
from typing import Any

import click
import rich.table
import rich.text
from rich.console import Console

from finn_flow.api.result import Result
from finn_flow.cli import display
from finn_flow.tables import figure

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


def progress(line: str) -> None:
    """Print a line for the person who waits; never on standard output."""
    shown = display.current()
    if shown is None:
        click.echo(line, err=True)
    else:
        shown.line(line)


def print_json(value: dict[str, Any]) -> None:
    """Print the result of a command with `--json`: one object on standard output."""
    click.echo(json.dumps(value, indent=2))


def console() -> Console:
    """Return a rich console on standard output; at least 120 columns wide where there is no terminal."""
    found = Console(highlight=False)
    if not found.is_terminal:
        found = Console(highlight=False, width=max(120, found.width))
    return found


def show(result: Result) -> None:
    """Print a result for people: its tables, then its lines."""
    out = console()
    for table in result.tables():
        shown = rich.table.Table(title=table.caption)
        for index, name in enumerate(table.columns):
            shown.add_column(name, justify="right" if table.is_number(index) else "left")
        for row in table.rows:
            shown.add_row(*(rich.text.Text(figure(cell)) for cell in row))
        out.print(shown)
    for line in result.lines():
        out.print(line, soft_wrap=True, markup=False)


def give(result: Result, as_json: bool) -> None:
    """Print a result: for people, or as one JSON object."""
    if as_json:
        print_json(result.to_json())
    else:
        show(result)
