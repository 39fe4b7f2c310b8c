"""Speed of the simulation engine: cycles per second, and the share of the time that Verilator's own code takes.

Measures register stages of two widths, which show what the engine itself costs, and every netlist folder named on the
command line (`DIR/rtl` of a build), with random input and without stalls.

Run from the project's root: `python -m benchmarks.simulation_speed [NETLIST ...]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from finn_flow.netlist.netlist import Netlist
from finn_flow.simulation import Design, SimulationResult, pack, simulate
from tests.simulation.designs import passthrough

STAGE_WIDTHS_BITS = (8, 512)
STAGE_WORDS = 1_000_000
MIN_FRAMES, MIN_WORDS = 10, 50_000


def random_words(count: int, width_bits: int) -> np.ndarray:
    """Random words of a stream, uint8 [count, bytes]."""
    return pack(np.random.default_rng(0).integers(0, 2, (count, width_bits)), 1)


def run_netlist(netlist: Netlist, profile: bool) -> SimulationResult:
    """Simulate random frames: at least `MIN_FRAMES`, and so many that an input gets `MIN_WORDS` words."""
    frames = max(MIN_FRAMES, -(-MIN_WORDS // max(stream.words for stream in netlist.inputs.values())))
    inputs = {name: random_words(frames * stream.words, stream.width_bits) for name, stream in netlist.inputs.items()}
    outputs = {name: frames * stream.words for name, stream in netlist.outputs.items()}
    return simulate(netlist.design(), inputs, outputs, profile=profile)


def run_stage(design: Design, profile: bool) -> SimulationResult:
    """Send `STAGE_WORDS` random words through a register stage."""
    words = random_words(STAGE_WORDS, design.inputs[0].width_bits)
    return simulate(design, {"s_axis": words}, {"m_axis": STAGE_WORDS}, profile=profile)


def add_row(table: Table, name: str, plain: SimulationResult, profiled: SimulationResult) -> None:
    """Add speed (of the run without profiling) and shares (of the run with it) to the table."""
    assert profiled.model_seconds is not None
    share = profiled.model_seconds / profiled.seconds
    speed = plain.cycles / plain.seconds / 1e6
    table.add_row(name, str(plain.cycles), f"{speed:.3f}", f"{share:.1%}", f"{1 - share:.1%}")


def main(folders: list[str]) -> None:
    """Measure and print the table."""
    table = Table("design", "cycles", "Mcycles/s", "in Verilator", "in the harness", title="Simulation speed")
    for width in STAGE_WIDTHS_BITS:
        design = passthrough(width)
        add_row(table, f"register stage, {width} bits", run_stage(design, False), run_stage(design, True))
    for folder in folders:
        netlist = Netlist.load(Path(folder))
        add_row(table, f"{netlist.top} ({folder})", run_netlist(netlist, False), run_netlist(netlist, True))
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
