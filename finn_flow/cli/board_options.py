"""The options that say which board, and how it is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from finn_flow.deployment.remote import RemoteBoard

FOLDER = "dsode-accelerator"


def board_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options `--to`, `--port`, `--identity`, `--ssh-option` and `--sudo`."""
    for option in (
        click.option("--sudo", is_flag=True, help="Run the driver by `sudo -n`; the programmable logic needs root."),
        click.option("--ssh-option", multiple=True, metavar="KEY=VALUE", help="Of ssh's -o; may be repeated."),
        click.option("--identity", type=click.Path(), help="Key file, as ssh's -i."),
        click.option("--port", type=click.IntRange(1, 65535), help="Of the board's ssh server."),
        click.option("--to", "folder", default=FOLDER, show_default=True, help="Folder of the package on the board."),
    ):
        command = option(command)
    return command


def board(
    target: str, folder: str, port: int | None, identity: str | None, ssh_option: tuple[str, ...], sudo: bool
) -> RemoteBoard:
    """Return the board that the options name."""
    from finn_flow.deployment.remote import RemoteBoard

    options = [*(["-p", str(port)] if port else []), *(["-i", identity] if identity else [])]
    for one in ssh_option:
        options += ["-o", one]
    return RemoteBoard(target, folder, tuple(options), sudo)
