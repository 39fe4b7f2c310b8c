"""What a loop costs: measured cycles per frame over iterations x the interval of the body's slowest node.

Every row is an untrained dsODENet of one ODE block, taken through the real flow (folding, FIFO sizing, netlist) and
simulated in Verilator, frames back to back, with every logit compared with Brevitas's. All nodes outside the loop are
folded for at most its cycles, so that the loop sets the pace. "all channels at once" gives each node of the body one
cycle per pixel, "one channel at a time" eight.

Beside it stands what FINN's own loop would take by its formula (`FINNLoop.get_exp_cycles`): body latency + (n - 1) x
interval + 40 x n, with the measured latency of this body from first word in to last word out (FINN itself adds up its
nodes' cycles, which is more). It does not overlap frames.

`python -m benchmarks.loop_overhead [--json] [--iterations N ...] [--maps N ...] [--processes N]`. Simulations are
cached by content; the first run of all 24 rows compiles some 70 of them (about 30 s each).
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.table import Table

from brevitas_models.config import NetworkConfig
from finn_flow.errors import FlowError

ITERATIONS = (2, 4, 8, 16)
MAP_SIZES = (8, 16, 32)
CHANNELS = 8
FOLDINGS = {"all channels at once": 1, "one channel at a time": CHANNELS}
"""Cycles per pixel of each node of the body."""
FINN_CYCLES_PER_ITERATION = 40
LARGEST_RATIO = 1.02
WARM_UP_FRAMES = 12


@dataclass(frozen=True)
class LoopOverhead:
    """One measured configuration; all times in cycles."""

    map_size: int
    folding: str
    iterations: int
    ii_cycles: int
    body_latency_cycles: int
    frames_in_flight: int
    measured_cycles: float

    @property
    def ideal_cycles(self) -> int:
        """The body's slowest node, working without a pause."""
        return self.iterations * self.ii_cycles

    @property
    def ratio(self) -> float:
        """Measured over ideal cycles per frame."""
        return self.measured_cycles / self.ideal_cycles

    @property
    def finn_cycles(self) -> int:
        """FINN's estimate of its own loop around this body."""
        first_to_last = self.body_latency_cycles + self.ii_cycles
        return first_to_last + (self.iterations - 1) * self.ii_cycles + FINN_CYCLES_PER_ITERATION * self.iterations


def measure(map_size: int, folding: str, iterations: int) -> LoopOverhead:
    """Build and simulate one network.

    Frames that share a loop leave it in groups of at most that many, so the average is over whole groups of any size,
    without the last frames, which share it with fewer others.

    Raises
    ------
    FlowError
        A logit is wrong, or another node than the loop sets the pace.
    """
    from benchmarks.common.accelerators import build_untrained, report, simulate_exactly

    config = NetworkConfig(in_channels=1, image_size=[map_size, map_size], channels=[CHANNELS], iterations=[iterations])
    with tempfile.TemporaryDirectory() as name:
        built = build_untrained(config, Path(name), iterations * map_size**2 * FOLDINGS[folding])
        (loop,) = report(built, "fifo_sizing.json")["loops"]
        slowest = report(built, "estimates.json")["network"]
        if slowest["cycles_per_frame"] > iterations * loop["body_ii_cycles"]:
            raise FlowError(f"{config}: {slowest['limited_by']} is slower than the loop")
        sharing = loop["frames_in_flight"]
        period = math.lcm(*range(1, sharing + 1))
        ends = simulate_exactly(built, WARM_UP_FRAMES + period + sharing).frame_end_cycles[:-sharing]
    return LoopOverhead(
        map_size,
        folding,
        iterations,
        loop["body_ii_cycles"],
        loop["body_latency_cycles"],
        sharing,
        float(ends[-1] - ends[-1 - period]) / period,
    )


def measure_all(maps: list[int], iterations: list[int], processes: int) -> Iterator[LoopOverhead]:
    """Measure every combination, several at a time, and report each on standard error."""
    rows = list(product(maps, FOLDINGS, iterations))
    with ProcessPoolExecutor(min(processes, len(rows)), multiprocessing.get_context("spawn")) as pool:
        for number, row in enumerate(pool.map(measure, *zip(*rows, strict=True)), start=1):
            size = f"{row.map_size}x{row.map_size}"
            progress = f"{number}/{len(rows)}: {size}, {row.folding}, {row.iterations} iterations: {row.ratio:.4f}"
            print(progress, file=sys.stderr, flush=True)
            yield row


def table(rows: list[LoopOverhead]) -> Table:
    """Return the rows for people."""
    columns = ("map", "body", "n", "body II", "body latency", "frames in flight", "n x II", "measured", "ratio")
    shown = Table(title="Loop overhead (cycles per frame; simulated, untrained networks)")
    for column in (*columns, "FINN's loop (formula)", "ratio"):
        shown.add_column(column, justify="left" if column == "body" else "right")
    for row in rows:
        shown.add_row(
            f"{row.map_size}x{row.map_size}",
            row.folding,
            str(row.iterations),
            f"{row.ii_cycles:,}",
            f"{row.body_latency_cycles:,}",
            str(row.frames_in_flight),
            f"{row.ideal_cycles:,}",
            f"{row.measured_cycles:,.1f}",
            f"{row.ratio:.4f}",
            f"{row.finn_cycles:,}",
            f"{row.finn_cycles / row.ideal_cycles:.4f}",
        )
    return shown


def main() -> int:
    """Print the table, or JSON; exit status 1 if a ratio is above `LARGEST_RATIO`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--iterations", type=int, nargs="+", default=ITERATIONS, metavar="N")
    parser.add_argument("--maps", type=int, nargs="+", default=MAP_SIZES, metavar="N", help="heights, which are widths")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="default: all cores")
    options = parser.parse_args()
    rows = list(measure_all(options.maps, options.iterations, options.processes))
    largest = max(row.ratio for row in rows)
    if options.json:
        found = [
            {**asdict(row), "ideal_cycles": row.ideal_cycles, "ratio": row.ratio, "finn_cycles": row.finn_cycles}
            for row in rows
        ]
        print(json.dumps({"rows": found, "largest_ratio": largest, "allowed_ratio": LARGEST_RATIO}, indent=2))
    else:
        out = Console(width=150)
        out.print(table(rows))
        out.print(f"Largest ratio {largest:.4f}, at most {LARGEST_RATIO} allowed; every logit equal to Brevitas's.")
    return int(largest > LARGEST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
