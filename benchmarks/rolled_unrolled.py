"""One looped stage against the same network with its iterations side by side in hardware.

A network of one ODE block, calibrated but untrained, goes twice through the same flow: rolled, and unrolled
(`UnrollODEBlocks`, so that each iteration has hardware and weights of its own). Both are folded for the same cycles
per frame, exactly, for the least resources; an unrolled node works once per frame, so it may be less parallel.

The first table has both simulated in Verilator, every logit compared with Brevitas's, and their resources by open
synthesis (estimates of an open tool, not of Vivado) with the quick estimates beside them. The second has the quick
estimates for other cycle budgets: at high rates both need the same multipliers, at low rates the unrolled nodes cannot
be folded any further.

`python -m benchmarks.rolled_unrolled [--json] [--iterations N ...] [--cycles N]`. Simulations and syntheses are cached
by content.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper
from rich.console import Console
from rich.table import Table

from benchmarks.common.accelerators import CLOCK_MHZ, build_untrained, report, simulate_exactly
from benchmarks.common.unrolling import step_unroll_ode_blocks, unrolled_steps
from brevitas_models.config import NetworkConfig
from brevitas_models.untrained import untrained_network
from finn_flow.export.qonnx import to_qonnx
from finn_flow.folding.target import fold_for_cycles
from finn_flow.synthesis.report import synthesise_build

ITERATIONS = (2, 4, 8)
CYCLES = 16_384
BUDGETS = (2_048, 4_096, 16_384, 65_536)
FORMS = ("rolled", "unrolled")
FRAMES = 12
ESTIMATED = ("LUT", "DSP", "BRAM36", "URAM")


@dataclass(frozen=True)
class Implementation:
    """One network in one form; `synthesis` is open synthesis, `estimate` the quick estimates."""

    iterations: int
    form: str
    nodes: int
    cycles_per_frame: float
    latency_cycles: int
    synthesis: dict[str, float]
    estimate: dict[str, float]


def network(iterations: int) -> NetworkConfig:
    """Return the network that is compared: 16 channels on 16x16 grey images."""
    return NetworkConfig(in_channels=1, image_size=[16, 16], channels=[16], iterations=[iterations])


def implement(iterations: int, form: str, cycles: int) -> Implementation:
    """Build, simulate and synthesise one network."""
    with tempfile.TemporaryDirectory() as folder:
        steps = unrolled_steps() if form == "unrolled" else None
        built = build_untrained(network(iterations), Path(folder), cycles, steps)
        run = simulate_exactly(built, FRAMES)
        synthesis = synthesise_build(built)
        estimate = report(built, "estimates.json")["resources"]
    return Implementation(
        iterations,
        form,
        len(synthesis.nodes),
        run.cycles_per_frame,
        run.first_frame_latency_cycles,
        {name: row["used"] for name, row in synthesis.board_shares().items()},
        {name: estimate[name]["estimated"] for name in ESTIMATED},
    )


def implement_all(iterations: list[int], cycles: int) -> Iterator[Implementation]:
    """Implement every combination, and report each on standard error."""
    for count, form in product(iterations, FORMS):
        started = time.monotonic()
        yield implement(count, form, cycles)
        print(f"{count} iterations {form}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def hardware_graph(config: NetworkConfig, form: str) -> ModelWrapper:
    """Return the untrained network, before folding."""
    from finn_flow.steps.frontend import step_lower_to_integers, step_roll_ode_blocks, step_select_labels
    from finn_flow.steps.hardware import step_convert_to_hardware

    model = step_roll_ode_blocks(to_qonnx(untrained_network(config, seed=0)), None)
    if form == "unrolled":
        model = step_unroll_ode_blocks(model, None)
    return step_convert_to_hardware(step_select_labels(step_lower_to_integers(model, None), None), None)


def estimate_all(iterations: list[int]) -> Iterator[dict[str, Any]]:
    """Fold every combination for every budget; resources without FIFOs."""
    for count, form in product(iterations, FORMS):
        model = hardware_graph(network(count), form)
        for budget in BUDGETS:
            folded = fold_for_cycles(model, budget)
            resources = {name: folded.resources.get(name, 0.0) for name in ESTIMATED}
            yield {"iterations": count, "form": form, "cycles_per_frame": folded.cycles_per_frame, **resources}


def measured_table(rows: list[Implementation]) -> Table:
    """Return the measured rows for people."""
    table = Table(title=f"Simulated, and resources by open synthesis (quick estimates in brackets), {CLOCK_MHZ} MHz")
    for column in ("iterations", "form", "nodes", "cycles/frame", "latency", "LUT", "FF", "DSP", "BRAM36", "URAM"):
        table.add_column(column, justify="left" if column == "form" else "right")
    for row in rows:
        cells = [
            f"{used:,.6g} ({row.estimate[name]:,.6g})" if name in row.estimate else f"{used:,.6g}"
            for name, used in row.synthesis.items()
        ]
        numbers = [str(row.nodes), f"{row.cycles_per_frame:,.1f}", f"{row.latency_cycles:,}"]
        table.add_row(str(row.iterations), row.form, *numbers, *cells, end_section=row.form == FORMS[-1])
    return table


def estimated_table(rows: list[dict[str, Any]]) -> Table:
    """Return the estimated rows for people, rolled and unrolled side by side."""
    table = Table(title="Quick estimates without FIFOs, rolled / unrolled")
    for column in ("iterations", "cycles/frame", *ESTIMATED):
        table.add_column(column, justify="right")
    forms = [[row for row in rows if row["form"] == form] for form in FORMS]
    for number, (rolled, unrolled) in enumerate(zip(*forms, strict=True), start=1):
        cells = [f"{rolled[name]:,.6g} / {unrolled[name]:,.6g}" for name in ("cycles_per_frame", *ESTIMATED)]
        table.add_row(str(rolled["iterations"]), *cells, end_section=number % len(BUDGETS) == 0)
    return table


def main() -> None:
    """Measure and print the tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    parser.add_argument("--iterations", type=int, nargs="+", default=ITERATIONS, metavar="N")
    parser.add_argument("--cycles", type=int, default=CYCLES, metavar="N", help="per frame; default: %(default)s")
    options = parser.parse_args()
    estimated = list(estimate_all(options.iterations))
    measured = list(implement_all(options.iterations, options.cycles))
    if options.json:
        rows = [asdict(row) for row in measured]
        print(json.dumps({"measured": rows, "quick_estimates_without_fifos": estimated}, indent=2))
        return
    out = Console(width=150)
    out.print(measured_table(measured))
    out.print(estimated_table(estimated))


if __name__ == "__main__":
    main()
