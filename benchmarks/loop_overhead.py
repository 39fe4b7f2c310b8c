"""What the loop itself costs: measured cycles per frame of a looped stage against iterations x the body's interval.

The body is synthetic (`tests/custom_ops/rtl/ode_loop_bench.sv`) with the timing of a depthwise-separable vector field:
two 3x3 convolutions, each of which waits for a row and a pixel, and a pipeline of 100 cycles. Beside it stands what
FINN expects of its own loop (`FINNLoop.get_exp_cycles`): body latency + (n - 1) x interval + 40 x n,
with the true latency of this body from first word in to last word out (FINN itself adds up its nodes' cycles, which is
more), and without overlap between frames.

Run from the project's root: `python -m benchmarks.loop_overhead [--json]`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from custom_ops.ode_loop.schedule import choose_frames_in_flight
from tests.custom_ops.ode_loop_bench import WINDOW, LoopBench, steady_cycles_per_frame

ITERATIONS = (2, 4, 8, 16)
MAP_SIZES = (8, 16, 32)
# Name, words per pixel, cycles per word: all channels at once, a quarter of them, and a slow matrix-vector unit.
FOLDINGS = (("full", 1, 1), ("channels / 4", 4, 1), ("8 cycles/word", 1, 8))
PIPELINE_CYCLES = 100
CONVOLUTIONS = 2
BODY_WORDS = 1024


@dataclass(frozen=True)
class LoopOverhead:
    """One measured configuration; all times in cycles."""

    iterations: int
    map_size: int
    folding: str
    ii_cycles: int
    body_latency_cycles: int
    frames_in_flight: int
    ideal_cycles: int
    measured_cycles: float
    lone_frame_cycles: int
    finn_cycles: int

    @property
    def overhead(self) -> float:
        """Measured over ideal cycles per frame."""
        return self.measured_cycles / self.ideal_cycles


def measure(iterations: int, map_size: int, folding: str, words_per_pixel: int, cycles_per_word: int) -> LoopOverhead:
    """Simulate frames back to back and one alone; every word is checked."""
    words = map_size * map_size * words_per_pixel
    ii = words * cycles_per_word
    latency = CONVOLUTIONS * (map_size + 1) * words_per_pixel * cycles_per_word + PIPELINE_CYCLES
    frames_in_flight = choose_frames_in_flight(latency, ii)
    bench = LoopBench(iterations, frames_in_flight, words, pe=1, bits=8, body_words=BODY_WORDS)
    lone = bench.run(1, latency, cycles_per_word).streams
    return LoopOverhead(
        iterations=iterations,
        map_size=map_size,
        folding=folding,
        ii_cycles=ii,
        body_latency_cycles=latency,
        frames_in_flight=frames_in_flight,
        ideal_cycles=iterations * ii,
        measured_cycles=float(steady_cycles_per_frame(bench.run(3 * WINDOW, latency, cycles_per_word))),
        lone_frame_cycles=lone["out0_V"].last_cycle - lone["in0_V"].first_cycle,
        finn_cycles=latency + ii + (iterations - 1) * ii + 40 * iterations,
    )


def measure_all() -> Iterator[LoopOverhead]:
    """Measure every combination of iterations, map size and folding."""
    for map_size in MAP_SIZES:
        for folding in FOLDINGS:
            for iterations in ITERATIONS:
                yield measure(iterations, map_size, *folding)


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    if parser.parse_args().json:
        rows = [{**asdict(row), "overhead": row.overhead} for row in measure_all()]
        json.dump({"loop_overhead": rows}, sys.stdout, indent=2)
        print()
        return
    table = Table(title="Loop overhead, synthetic body (cycles per frame)")
    for column in (
        "map",
        "folding",
        "iterations",
        "body II",
        "body latency",
        "frames in flight",
        "iterations x II",
        "measured",
        "ratio",
        "FINN's loop",
        "ratio",
        "lone frame",
    ):
        table.add_column(column, justify="left" if column == "folding" else "right")
    for row in measure_all():
        table.add_row(
            f"{row.map_size}x{row.map_size}",
            row.folding,
            str(row.iterations),
            f"{row.ii_cycles:,}",
            f"{row.body_latency_cycles:,}",
            str(row.frames_in_flight),
            f"{row.ideal_cycles:,}",
            f"{row.measured_cycles:,.1f}",
            f"{row.overhead:.4f}",
            f"{row.finn_cycles:,}",
            f"{row.finn_cycles / row.ideal_cycles:.4f}",
            f"{row.lone_frame_cycles:,}",
        )
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
