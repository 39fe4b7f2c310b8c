"""The presets at their targets: `python -m benchmarks.targets [--json] [--readme]`.

Builds the untrained presets `dsodenet-small` and `dsodenet-base` for their targets in cycles per frame, simulates each
netlist against Brevitas's logits, synthesises it with open tools, and prints what came out beside the targets. With
`--readme` the table and the plot of README.md are written anew. The resources are estimates of an open tool, not
calibrated against Vivado.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from benchmarks.common.accelerators import CLOCK_MHZ, CONFIG, build_untrained, report, simulate_exactly
from benchmarks.common.presets_in_readme import write_readme
from brevitas_models.config import preset
from finn_flow.build_folder import BuildFolder
from finn_flow.folding.target import DEFAULT_SHARE
from finn_flow.folding.utilisation import multiplier_use, total_use
from finn_flow.simulation.accelerator import LOGITS
from finn_flow.synthesis.report import synthesise_build
from finn_flow.timing.report import TARGET_NS, time_build

TARGET_CYCLES = {"dsodenet-small": 5000, "dsodenet-base": 6600}
MOST_LATENCY = 3.3
LEAST_UTILISATION = 0.8
MOST_BUILD_SECONDS = 60
FRAMES = 12
STEPS = json.loads(CONFIG.with_name("zcu104_low_latency.json").read_text())["steps"]


def measure(name: str, console: Console) -> dict[str, Any]:
    """Build, simulate and synthesise preset `name`; all figures."""
    from qonnx.core.modelwrapper import ModelWrapper

    with tempfile.TemporaryDirectory() as folder:
        console.print(f"{name}: building")
        with patch.dict(os.environ, {"DSODE_CACHE": str(Path(folder) / "cache")}):  # no simulation is there yet
            start = time.perf_counter()
            built = build_untrained(preset(name), Path(folder), TARGET_CYCLES[name], STEPS)
            seconds = time.perf_counter() - start
        console.print(f"{name}: simulating {FRAMES} frames")
        run = simulate_exactly(built, FRAMES)
        console.print(f"{name}: synthesising")
        synthesis = synthesise_build(built, progress=lambda line: console.print(f"{name}: {line}"))
        timing = time_build(built)
        steps = report(built, "time_per_step.json")
        use = total_use(multiplier_use(ModelWrapper(str(BuildFolder(built).graph))))
        sizing = report(built, "fifo_sizing.json")
    return {
        "preset": name,
        "target_cycles": TARGET_CYCLES[name],
        "cycles_per_frame": run.cycles_per_frame,
        "frames_per_second": 1e6 * CLOCK_MHZ / run.cycles_per_frame,
        "latency_cycles": run.first_frame_latency_cycles,
        "latency_targets": run.first_frame_latency_cycles / TARGET_CYCLES[name],
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
        "build_seconds": seconds,
        "seconds_per_step": steps,
    }


def print_tables(rows: list[dict[str, Any]], console: Console) -> None:
    """Print what `measure` returned."""
    table = Table("figure", *(row["preset"] for row in rows), "target", title="Presets at their targets")
    cycles = " / ".join(f"{row['target_cycles']:,}" for row in rows)
    table.add_row("cycles per frame, simulated", *(f"{row['cycles_per_frame']:,.0f}" for row in rows), f"<= {cycles}")
    table.add_row(f"frames/s at {CLOCK_MHZ} MHz", *(f"{row['frames_per_second']:,.0f}" for row in rows), "")
    latencies = [f"{row['latency_cycles']:,} ({row['latency_targets']:.2f} x)" for row in rows]
    table.add_row("latency of one frame, cycles", *latencies, f"base <= {MOST_LATENCY} x its target")
    table.add_row("logits compared, all Brevitas's", *(str(row["logits_compared"]) for row in rows), "all")
    uses = [f"{row['utilisation']:.1%} of {row['multipliers']:,}" for row in rows]
    table.add_row("use of the multipliers", *uses, f">= {LEAST_UTILISATION:.0%}")
    for name in rows[0]["resources"]:
        shares = [row["resources"][name] for row in rows]
        cells = [f"{share['used']:,.1f} ({share['percent']} %)" for share in shares]
        table.add_row(f"{name}, open synthesis", *cells, f"<= {DEFAULT_SHARE:.0%} of the board")
    delays = [f"{row['slowest_path_ns']:.2f}" for row in rows]
    table.add_row("slowest path, ns, by a delay model (estimate)", *delays, f"<= {TARGET_NS}")
    table.add_row("FIFOs", *(str(row["fifos"]) for row in rows), "")
    seconds = [f"{row['build_seconds']:.0f}" for row in rows]
    table.add_row("seconds to export and build, nothing cached", *seconds, f"< {MOST_BUILD_SECONDS}")
    console.print(table)
    steps = Table("step", *(row["preset"] for row in rows), title="Seconds per build step")
    for step in rows[0]["seconds_per_step"]:
        steps.add_row(step, *(f"{row['seconds_per_step'][step]:.1f}" for row in rows))
    console.print(steps)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--readme", action="store_true", help="write the table and the plot of README.md, too")
    arguments = parser.parse_args()
    console = Console(width=150, stderr=arguments.json)
    rows = [measure(name, console) for name in TARGET_CYCLES]
    if arguments.readme:
        write_readme(rows)
    if arguments.json:
        print(json.dumps({"presets": rows}, indent=2))
        return
    print_tables(rows, console)


if __name__ == "__main__":
    main()
