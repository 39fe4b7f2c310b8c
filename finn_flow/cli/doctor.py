"""`dsode doctor`: what is here and what will work."""

from dataclasses import asdict

import click
from rich.markup import escape
from rich.table import Table

from finn_flow.cli.output import console, json_option, print_json
from finn_flow.doctor import ABSENT, OK, PROBLEM, WARNING, examine

_STYLES = {OK: "green", WARNING: "yellow", PROBLEM: "bold red", ABSENT: "dim"}


@click.command()
@json_option
def command(as_json: bool) -> int:
    """Show which tools and versions are here, and what will therefore work.

    The exit status is 1 if a part of the flow that needs no vendor tool will not work.

    Example: dsode doctor
    """
    checks, abilities = examine()
    healthy = all(ability.works or ability.optional for ability in abilities)
    if as_json:
        found = [asdict(check) for check in checks]
        parts = [{**asdict(ability), "works": ability.works} for ability in abilities]
        print_json({"ok": healthy, "checks": found, "abilities": parts})
        return 0 if healthy else 1
    table = Table("", "state", "found", "what to do", title="On this machine")
    for check in checks:
        table.add_row(check.name, f"[{_STYLES[check.state]}]{check.state}[/]", escape(check.detail), check.advice)
    console().print(table)
    table = Table("", "works", "lacks", title="What will work")
    for ability in abilities:
        answer = "[green]yes[/]" if ability.works else "[yellow]no[/]" if ability.optional else "[bold red]no[/]"
        table.add_row(ability.name, answer, ", ".join(ability.missing))
    console().print(table)
    return 0 if healthy else 1
