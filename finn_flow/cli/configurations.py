"""Configurations on the command line: a file, or the name of one that ships (`zcu104`, `quick`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

SHIPPED = Path(__file__).parents[2] / "build_configs"
BUILDS, TRAININGS = SHIPPED, SHIPPED / "train"


def shipped(folder: Path) -> list[str]:
    """Return the names of the configurations that ship in `folder`, sorted."""
    return sorted(path.stem for path in folder.glob("*.json"))


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
        path = Path(value)
        if not path.exists() and value not in shipped(self.folder):
            self.fail(f"{value}: neither a file nor one of {', '.join(shipped(self.folder))}", param, ctx)
        return path if path.exists() else self.folder / f"{value}.json"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the shipped names, and files."""
        names = [CompletionItem(name) for name in shipped(self.folder) if name.startswith(incomplete)]
        return [*names, CompletionItem(incomplete, type="file")]
