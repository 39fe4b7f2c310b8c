"""`dsode board`: the driver of a package on a simulated board."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from finn_flow.cli.output import progress
from finn_flow.errors import UserError

TIMEOUT_S = 600
"""Simulation is far slower than the board: this is for accelerators that hang."""


@click.command("board", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [ARGUMENTS]...")
@click.option("--stall", type=float, default=0.0, help="Probability, 0 to below 1, that a DMA pauses in a cycle.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the pauses.")
@click.pass_context
def command(ctx: click.Context, folder: Path, arguments: tuple[str, ...], stall: float, seed: int) -> None:
    """Run the driver of the package DIR/deploy on a simulated board, whose logic is DIR's netlist in Verilator.

    COMMAND and its arguments are the driver's: classify, benchmark or validate. The exit status is the driver's, too.

    Example: dsode board build validate --json
    """
    from finn_flow.deployment.driver.manifest import FILE
    from finn_flow.deployment.hardware.dma import build_id
    from finn_flow.deployment.package import FOLDER, NETLIST_FOLDER
    from finn_flow.deployment.simulated_board import SimulatedBoard
    from finn_flow.deployment.simulated_board.board import PYNQ_FOLDER
    from finn_flow.netlist.netlist import Netlist

    if not 0 <= stall < 1:
        raise UserError(f"--stall must be at least 0 and below 1, not {stall}")
    package = folder / FOLDER
    if not (package / FILE).is_file():
        raise UserError(f"{folder} holds no package; make one with `dsode package {folder}`")
    netlist = Netlist.load(folder / NETLIST_FOLDER)
    progress("building the simulated board")
    with SimulatedBoard(netlist, build_id(netlist), stall, seed) as board:
        options = ["--bitfile", str(board.bitfile), "--timeout", str(TIMEOUT_S)]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(package.absolute()), str(PYNQ_FOLDER)]),
            "TMPDIR": str(board.bitfile.parent),
        }
        process = [sys.executable, "-m", "driver", arguments[0], *options, *arguments[1:]]
        ctx.exit(subprocess.run(process, env=environment).returncode)
