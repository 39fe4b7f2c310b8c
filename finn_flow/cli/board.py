"""`dsode board`: the driver of a package on a simulated board."""

from __future__ import annotations

from pathlib import Path

import click

from finn_flow.cli.output import progress
from finn_flow.errors import UserError


@click.command("board", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [ARGUMENTS]...")
@click.option("--stall", type=float, default=0.0, help="Probability, 0 to below 1, that a DMA pauses in a cycle.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, help="Seed of the pauses.")
@click.pass_context
def command(ctx: click.Context, folder: Path, arguments: tuple[str, ...], stall: float, seed: int) -> None:
    """Run the driver of the package DIR/deploy on a simulated board, whose logic is DIR's netlist in Verilator.

    COMMAND and its arguments are the driver's: classify, benchmark or validate, and so is the exit status. Options of
    this command come before DIR.

    Example: dsode board build validate --json
    """
    from finn_flow.deployment.simulated_board.run_driver import run_driver

    if not 0 <= stall < 1:
        raise UserError(f"--stall must be at least 0 and below 1, not {stall}")
    progress("building the simulated board")
    ctx.exit(run_driver(folder, arguments, stall, seed).returncode)
