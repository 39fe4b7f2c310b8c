"""Speed of the simulation engine: cycles per second, and the share of the time that Verilator's own code takes.

Measures register stages of two widths, which show what the engine itself costs, and every netlist folder named on the
command line (`DIR/rtl` of a build), with random input and without stalls; by default the netlist that
build_configs/zcu104.json makes of an untrained dsodenet-small.

`python -m benchmarks.simulation_speed [--json] [NETLIST ...]`
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.common.accelerators import build_untrained
from brevitas_models.config import preset
from finn_flow.build_folder import BuildFolder
from finn_flow.netlist.netlist import Netlist
from finn_flow.verilator import Design, SimulationResult, pack, simulate
from tests.finn_flow.verilator.designs import passthrough

PRESET = "dsodenet-small"
STAGE_WIDTHS_BITS = (8, 512)
STAGE_WORDS = 1_000_000
MIN_FRAMES, MIN_WORDS = 10, 10_000


@dataclass(frozen=True)
class SimulationSpeed:
    """Cycles and speed of a run without profiling, and Verilator's share of the time of one with it."""

    design: str
    cycles: int
    cycles_per_second: float
    share_in_verilator: float


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


def speed(name: str, run: Callable[[bool], SimulationResult]) -> SimulationSpeed:
    """Run a design without and with profiling."""
    plain, profiled = run(False), run(True)
    assert profiled.model_seconds is not None
    return SimulationSpeed(name, plain.cycles, plain.cycles / plain.seconds, profiled.model_seconds / profiled.seconds)


def measure(folders: dict[str, Path]) -> Iterator[SimulationSpeed]:
    """Measure the register stages and the netlists in `folders`, by what to call them."""
    for width in STAGE_WIDTHS_BITS:
        design = passthrough(width)
        yield speed(f"register stage, {width} bits", partial(run_stage, design))
    for name, folder in folders.items():
        yield speed(name, partial(run_netlist, Netlist.load(folder)))


def main() -> None:
    """Measure and print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("netlists", nargs="*", metavar="NETLIST", help=f"default: an untrained {PRESET}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folders = {name: Path(name) for name in options.netlists}
        if not folders:
            folders[PRESET] = BuildFolder(build_untrained(preset(PRESET), Path(folder))).netlist
        rows = list(measure(folders))
    if options.json:
        print(json.dumps({"designs": [asdict(row) for row in rows]}, indent=2))
        return
    table = Table("design", "cycles", "Mcycles/s", "in Verilator", "in the harness", title="Simulation speed")
    for row in rows:
        share = row.share_in_verilator
        table.add_row(
            row.design, f"{row.cycles:,}", f"{row.cycles_per_second / 1e6:.3f}", f"{share:.1%}", f"{1 - share:.1%}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
