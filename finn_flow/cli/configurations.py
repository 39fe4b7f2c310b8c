"""Configurations on the command line, completed by the shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from finn_flow.configurations import configuration, shipped
from finn_flow.errors import UserError


class ConfigurationFile(click.ParamType):
    """A path: that of the file, or of the shipped configuration of this name; a file of the name comes first.

    Parameters
    ----------
    folder
        `BUILDS` or `TRAININGS`.
    """

    name = "configuration"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path of what was typed; a file that is not there is a usage error that lists the names."""
        try:
            return configuration(value, self.folder)
        except UserError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the shipped names, and files."""
        names = [CompletionItem(name) for name in shipped(self.folder) if name.startswith(incomplete)]
        return [*names, CompletionItem(incomplete, type="file")]
