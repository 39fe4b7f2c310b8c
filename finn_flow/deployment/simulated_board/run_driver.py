"""A package's driver on a simulated board, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from finn_flow.build_folder import BuildFolder
from finn_flow.deployment.driver.manifest import FILE, Manifest
from finn_flow.deployment.simulated_board.board import PYNQ_FOLDER, SimulatedBoard
from finn_flow.errors import UserError
from finn_flow.netlist.netlist import Netlist

TIMEOUT_S = 600
"""Simulation is far slower than the board: this is for accelerators that hang."""


def run_driver(
    build: Path, arguments: Sequence[str], stall: float = 0.0, seed: int = 1, capture: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `python3 -m driver` of the package `build`/deploy on a simulated board with `build`'s netlist.

    Parameters
    ----------
    arguments
        The driver's command and its arguments.
    stall, seed
        See `SimulatedBoard`.
    capture
        Return what the driver prints to standard output instead of passing it on.

    Raises
    ------
    UserError
        There is no package or no netlist.
    SimulationBuildError
        The accelerator cannot be simulated.
    """
    package = BuildFolder(build).package
    if not (package / FILE).is_file():
        raise UserError(f"{build} holds no package; make one with `dsode package {build}`")
    build_id = Manifest.load(package).build_id
    with SimulatedBoard(Netlist.load(BuildFolder(build).netlist), build_id, stall, seed) as board:
        lock_file = board.bitfile.with_suffix(".lock")
        options = ["--bitfile", str(board.bitfile), "--timeout", str(TIMEOUT_S), "--lock-file", str(lock_file)]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(package.absolute()), str(PYNQ_FOLDER)]),
        }
        process = [sys.executable, "-m", "driver", arguments[0], *options, *arguments[1:]]
        return subprocess.run(process, env=environment, text=True, stdout=subprocess.PIPE if capture else None)
