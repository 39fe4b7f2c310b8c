"""Folding of the presets for their targets: `python -m benchmarks.folding [--json] [PRESET ...]`.

Folds each untrained preset for its target in cycles per frame and prints cycles, multiplier utilisation and estimated
resources against 70 % of the board, then the highest frame rate that fits into 70 %. Estimates, not synthesis.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.common.accelerators import CLOCK_MHZ
from benchmarks.common.rows import ROWS
from brevitas_models.config import preset
from brevitas_models.untrained import untrained_network
from finn_flow.estimates.boards import board_resources
from finn_flow.export.network import to_qonnx
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.folding.target import DEFAULT_SHARE, FoldingResult, fold_for_cycles, fold_for_share
from finn_flow.folding.utilisation import multiplier_use, total_use

TARGET_CYCLES = {"dsodenet-base": ROWS[0].cycles, "dsodenet-small": ROWS[2].cycles, "odenet-tiny": 3000}
BOARD = "ZCU104"


def measure(name: str) -> dict[str, Any]:
    """Fold preset `name` both ways and return all figures."""
    from qonnx.core.modelwrapper import ModelWrapper

    from finn_flow.steps.frontend import step_lower_to_integers, step_roll_ode_blocks, step_select_labels
    from finn_flow.steps.hardware import step_convert_to_hardware

    model: ModelWrapper = to_qonnx(untrained_network(preset(name), seed=0))
    for step in (step_roll_ode_blocks, step_lower_to_integers, step_select_labels, step_convert_to_hardware):
        model = step(model, None)
    start = time.perf_counter()
    result = fold_for_cycles(model, TARGET_CYCLES[name], BOARD)
    seconds = time.perf_counter() - start
    uses = multiplier_use(model)
    cycles = result.cycles_per_frame
    nodes = [
        {"name": use.name, "macs": use.macs, "multipliers": use.multipliers, "utilisation": use.utilisation(cycles)}
        for use in (*uses, total_use(uses))
    ]
    start = time.perf_counter()
    fastest = fold_for_share(model, BOARD)
    return {
        "preset": name,
        "target_cycles": TARGET_CYCLES[name],
        "target": figures(result, seconds),
        "multipliers": nodes,
        "fastest": figures(fastest, time.perf_counter() - start),
    }


def figures(result: FoldingResult, seconds: float) -> dict[str, Any]:
    """Cycles, frame rate, resources beside what 70 % of the board are, and how long folding took."""
    available = board_resources(BOARD)
    return {
        "cycles_per_frame": result.cycles_per_frame,
        "limited_by": result.limited_by,
        "frames_per_second": round(1e6 * CLOCK_MHZ / result.cycles_per_frame),
        "resources": {
            name: {"estimated": amount, "allowed": DEFAULT_SHARE * available[name]}
            for name, amount in result.resources.items()
        },
        "seconds": round(seconds, 2),
    }


def print_tables(found: dict[str, Any]) -> None:
    """Print what `measure` returned."""
    out = Console(width=150)
    table = Table("node", "MACs per frame", "multipliers", "utilisation", title=f"{found['preset']}: multipliers")
    for node in found["multipliers"]:
        table.add_row(node["name"], f"{node['macs']:,}", str(node["multipliers"]), f"{100 * node['utilisation']:.1f} %")
    out.print(table)
    both = found["target"], found["fastest"]
    title = f"{found['preset']}: estimates on the {BOARD}"
    table = Table("figure", f"for {found['target_cycles']:,} cycles", f"fastest in {DEFAULT_SHARE:.0%}", title=title)
    table.add_row("cycles per frame", *(f"{one['cycles_per_frame']:,}" for one in both))
    table.add_row(f"frames/s at {CLOCK_MHZ} MHz", *(f"{one['frames_per_second']:,}" for one in both))
    table.add_row("limited by", *(one["limited_by"] for one in both))
    table.add_row("seconds to fold", *(str(one["seconds"]) for one in both))
    for name in both[0]["resources"]:
        rows = [one["resources"][name] for one in both]
        table.add_row(name, *(f"{row['estimated']:,.1f} of {row['allowed']:,.0f} allowed" for row in rows))
    out.print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("presets", nargs="*", metavar="PRESET", help=f"default: {', '.join(TARGET_CYCLES)}")
    arguments = parser.parse_args()
    names = arguments.presets or list(TARGET_CYCLES)
    if unknown := sorted(set(names) - set(TARGET_CYCLES)):
        parser.error(f"no target for {', '.join(unknown)}; use {', '.join(TARGET_CYCLES)}")
    ensure_finn()
    found = {name: measure(name) for name in names}
    if arguments.json:
        json.dump(found, sys.stdout, indent=2)
        return
    for one in found.values():
        print_tables(one)


if __name__ == "__main__":
    main()
