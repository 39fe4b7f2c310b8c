"""`dsode remote`: the driver of a package on a board."""

from __future__ import annotations

from typing import Any

import click

from finn_flow.cli.board_options import board, board_options


@click.command("remote", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("target", metavar="USER@BOARD")
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [ARGUMENTS]...")
@board_options
@click.pass_context
def command(ctx: click.Context, target: str, arguments: tuple[str, ...], **options: Any) -> None:
    """Run the driver of the package that `dsode deploy` put on a board: classify, benchmark or validate.

    Options of this command come before USER@BOARD; paths are the board's. Output and exit status are the driver's.

    Example: dsode remote --sudo xilinx@192.168.2.99 benchmark --json
    """
    ctx.exit(board(target, **options).drive(arguments).returncode)
