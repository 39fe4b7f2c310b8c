"""The shipped configurations at their targets: `python -m benchmarks.targets [--json] [--readme] [NAME ...]`.

Builds an untrained network with each shipped build configuration that has a target, simulates the netlist against
Brevitas's logits, synthesises it with open tools, and prints what came out beside the targets. With `--readme` the
table and the plot of README.md are written anew. The resources are estimates of an open tool, not calibrated against
Vivado; those of a configuration that goes no further are the flow's own estimates, before any FIFO.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from benchmarks.common.accelerators import CLOCK_MHZ, build_untrained, report, simulate_exactly
from benchmarks.common.presets_in_readme import write_readme
from benchmarks.common.rows import ROWS, Row
from finn_flow.build_folder import BuildFolder
from finn_flow.folding.utilisation import multiplier_use, total_use
from finn_flow.simulation.accelerator import LOGITS
from finn_flow.synthesis.report import synthesise_build
from finn_flow.timing.report import TARGET_NS, time_build

FRAMES = 12


def measure(row: Row, console: Console) -> dict[str, Any]:
    """Build, simulate and synthesise one row; all figures."""
    with tempfile.TemporaryDirectory() as folder:
        console.print(f"{row.name}: building")
        with patch.dict(os.environ, {"DSODE_CACHE": str(Path(folder) / "cache")}):  # no simulation is there yet
            start = time.perf_counter()
            built = build_untrained(row.network, Path(folder), build_config=row.path)
            seconds = time.perf_counter() - start
        netlist = BuildFolder(built).netlist.is_dir()
        found = _simulated(row, built, console) if netlist else _estimated(built)
        bodies = {
            name: values["bodies"]
            for name, values in report(built, "folding_config.json").items()
            if "bodies" in values
        }
        steps = report(built, "time_per_step.json")
    return {
        "name": row.name,
        "config": row.config,
        "targets": {"cycles": row.cycles, "LUT": row.luts, "DSP": row.dsps, "latency": row.latency_cycles},
        "frames_per_second": 1e6 * CLOCK_MHZ / found["cycles_per_frame"],
        "bodies": bodies,
        "build_seconds": seconds,
        "seconds_per_step": steps,
        **found,
    }


def _estimated(built: Path) -> dict[str, Any]:
    estimates = report(built, "estimates.json")
    resources = {
        name: {"used": row["estimated"], "percent": row["percent"]} for name, row in estimates["resources"].items()
    }
    return {
        "measured": False,
        "cycles_per_frame": estimates["network"]["cycles_per_frame"],
        "latency_cycles": None,
        "resources": resources,
        "slowest_path_ns": None,
    }


def _simulated(row: Row, built: Path, console: Console) -> dict[str, Any]:
    from qonnx.core.modelwrapper import ModelWrapper

    console.print(f"{row.name}: simulating {FRAMES} frames")
    run = simulate_exactly(built, FRAMES)
    console.print(f"{row.name}: synthesising")
    synthesis = synthesise_build(built, progress=lambda line: console.print(f"{row.name}: {line}"))
    timing = time_build(built)
    use = total_use(multiplier_use(ModelWrapper(str(BuildFolder(built).graph))))
    sizing = report(built, "fifo_sizing.json")
    return {
        "measured": True,
        "cycles_per_frame": run.cycles_per_frame,
        "latency_cycles": run.first_frame_latency_cycles,
        "logits_compared": int(run.results[LOGITS].size),
        "macs_per_frame": use.macs,
        "multipliers": use.multipliers,
        "utilisation": use.macs / (use.multipliers * run.cycles_per_frame),
        "frames_in_flight": [loop["frames_in_flight"] for loop in sizing["loops"]],
        "fifos": sum(fifo["depth"] > 0 for fifo in sizing["fifos"]),
        "resources": synthesis.board_shares(),
        "slowest_path_ns": timing.worst_ns,
        "slowest_paths": [path.path.start + " to " + path.path.end for path in timing.paths[:3]],
        "fan_outs": timing.fan_outs,
        "estimate_errors": synthesis.estimate_errors(),
    }


def print_tables(rows: list[dict[str, Any]], console: Console) -> None:
    """Print what `measure` returned."""
    table = Table("figure", *(row["name"] for row in rows), title="Shipped configurations at their targets")

    def line(title: str, cell: Callable[[dict[str, Any]], str]) -> None:
        table.add_row(title, *(cell(row) for row in rows))

    line("build configuration", lambda row: str(row["config"]))
    line("how", lambda row: "simulated, open synthesis" if row["measured"] else "estimates")
    line("cycles per frame", lambda row: beside(row["cycles_per_frame"], row["targets"]["cycles"]))
    line(f"frames/s at {CLOCK_MHZ} MHz", lambda row: f"{row['frames_per_second']:,.0f}")
    line("latency of one frame, cycles", lambda row: beside(row["latency_cycles"], row["targets"]["latency"]))
    line("bodies of the loops", lambda row: " ".join(str(bodies) for bodies in row["bodies"].values()))
    line("logits compared, all Brevitas's", lambda row: str(row.get("logits_compared", "-")))
    line("use of the multipliers", lambda row: f"{row['utilisation']:.1%}" if row["measured"] else "-")
    for name in rows[0]["resources"]:
        line(name, partial(_amount, name=name))
    line("slowest path, ns, by a delay model (estimate)", lambda row: beside(row["slowest_path_ns"], TARGET_NS))
    line("FIFOs", lambda row: str(row.get("fifos", "-")))
    line("seconds to export and build, nothing cached", lambda row: f"{row['build_seconds']:.0f}")
    console.print(table)
    steps = Table("step", *(row["name"] for row in rows), title="Seconds per build step")
    for step in rows[0]["seconds_per_step"]:
        steps.add_row(step, *(f"{row['seconds_per_step'].get(step, 0):.1f}" for row in rows))
    console.print(steps)


def beside(found: float | None, target: float | None) -> str:
    """Return a figure and the most that it may be."""
    if found is None:
        return "-"
    text = f"{found:,.2f}" if isinstance(target, float) else f"{found:,.0f}"
    if target is None:
        return text
    return f"{text} ({'missed: ' if found > target else ''}<= {target:,})"


def _amount(row: dict[str, Any], name: str) -> str:
    share = row["resources"].get(name)
    if share is None:
        return "-"
    return f"{beside(share['used'], row['targets'].get(name))}, {share['percent']} %"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--readme", action="store_true", help="write the table and the plot of README.md, too")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {', '.join(row.config for row in ROWS)}")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - {row.config for row in ROWS}):
        parser.error(f"no targets for {', '.join(unknown)}; use {', '.join(row.config for row in ROWS)}")
    if arguments.readme and arguments.names:
        parser.error("--readme needs all rows")
    console = Console(width=190, stderr=arguments.json)
    rows = [measure(row, console) for row in ROWS if not arguments.names or row.config in arguments.names]
    if arguments.readme:
        write_readme(rows)
    if arguments.json:
        print(json.dumps({"rows": rows}, indent=2))
        return
    print_tables(rows, console)


if __name__ == "__main__":
    main()
