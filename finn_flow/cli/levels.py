"""The options `--quiet` and `--verbose`, which every command has."""

from __future__ import annotations

import click

from finn_flow.cli import display


def _set_level(ctx: click.Context, parameter: click.Parameter, chosen: bool) -> None:
    shown = display.current()
    if chosen and shown is not None:
        shown.level = display.Level.QUIET if parameter.name == "quiet" else display.Level.VERBOSE


def add_level_options(command: click.Command) -> None:
    """Give a command the options `--quiet` and `--verbose`, once; not one that hands its options to another program."""
    if isinstance(command, click.Group):
        for child in command.commands.values():
            add_level_options(child)
        return
    takes_anything = command.context_settings.get("ignore_unknown_options")
    if takes_anything or any(parameter.name == "quiet" for parameter in command.params):
        return
    for names, text in (
        (("-q", "--quiet"), "Say nothing but results, warnings and errors."),
        (("-v", "--verbose"), "Say how long everything takes."),
    ):
        command.params.append(
            click.Option(names, is_flag=True, expose_value=False, is_eager=True, callback=_set_level, help=text)
        )
