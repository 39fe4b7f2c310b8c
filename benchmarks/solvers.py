"""Solvers of the same cost, the same number of evaluations of the field per frame: cycles, resources, accuracy.

A network of one ODE block, calibrated but untrained, is built for every solver with as many iterations as make the same
number of evaluations of the field (a method of five stages comes close), folded for the same cycles per evaluation,
simulated in Verilator with every logit compared with Brevitas's, and synthesised with open tools (estimates, not
Vivado's). Every stage is a pass through one copy of the field, so its multipliers are Euler's.

`python -m benchmarks.solvers [--json] [--solvers NAME ...] [--evaluations N] [--runs DIR [--train]]`. With `--runs`,
accuracies on USPS of networks that were trained on MNIST with adaptation are added, one training per solver in
`DIR/SOLVER`; `--train` runs those that are missing (build_configs/train/quick.json with the solver and the iterations).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.common.accelerators import CLOCK_MHZ, build_untrained, simulate_exactly
from brevitas_models.config import NetworkConfig, parse_config
from brevitas_models.solvers import SOLVERS
from finn_flow.synthesis.report import synthesise_build

EVALUATIONS = 12
CYCLES_PER_EVALUATION = 1_024
FRAMES = 12
LAYERS = ("MVAU_rtl", "CascadeMVAU_rtl", "ConstantMatrix_rtl", "DepthwiseConv_rtl")
TRAINING = Path(__file__).parents[1] / "build_configs" / "train" / "quick.json"


@dataclass(frozen=True)
class Row:
    """One solver; `field_dsp` are the DSPs of the field's layers, `accuracy` on the target's test images."""

    solver: str
    order: int
    iterations: int
    stages: int
    cycles_per_frame: float
    latency_cycles: int
    resources: dict[str, float]
    field_dsp: int
    accuracy: float | None


def iterations(solver: str, evaluations: int) -> int:
    """Return the iterations, at least 2, that come closest to a number of evaluations."""
    return max(2, round(evaluations / SOLVERS[solver].stages))


def implement(solver: str, evaluations: int) -> Row:
    """Build, simulate and synthesise one network."""
    count, stages = iterations(solver, evaluations), SOLVERS[solver].stages
    settings = {"in_channels": 1, "image_size": [16, 16], "channels": [16], "iterations": [count], "solver": solver}
    config: NetworkConfig = parse_config(NetworkConfig, settings, solver)
    with tempfile.TemporaryDirectory() as folder:
        built = build_untrained(config, Path(folder), count * stages * CYCLES_PER_EVALUATION)
        run = simulate_exactly(built, FRAMES)
        synthesis = synthesise_build(built)
    layers = [node.resources.dsp48e2 for node in synthesis.nodes if node.loop and node.op_type in LAYERS]
    return Row(
        solver,
        SOLVERS[solver].order,
        count,
        stages,
        run.cycles_per_frame,
        run.first_frame_latency_cycles,
        {name: row["used"] for name, row in synthesis.board_shares().items()},
        sum(layers),
        None,
    )


def accuracy(solver: str, evaluations: int, folder: Path, may_train: bool) -> float | None:
    """Return the accuracy of a training in `folder`, which is run if it may be; None if it is missing."""
    from brevitas_models.training.config import TrainingConfig
    from brevitas_models.training.trainer import train

    metrics: dict[str, Any]
    if (folder / "metrics.json").is_file():
        metrics = json.loads((folder / "metrics.json").read_text())
    elif may_train:
        settings = json.loads(TRAINING.read_text())
        blocks = len(settings["network"]["channels"])
        settings["network"] |= {"solver": solver, "iterations": [iterations(solver, evaluations)] * blocks}
        config: TrainingConfig = parse_config(TrainingConfig, settings, solver)
        metrics = train(config, folder, lambda line: print(f"{solver}: {line}", file=sys.stderr, flush=True))
    else:
        return None
    return float(metrics["accuracy"]["quantised"]["target"])


def measure(names: list[str], evaluations: int, runs: Path | None, may_train: bool) -> Iterator[Row]:
    """Measure every solver, and report each on standard error."""
    for name in names:
        row = implement(name, evaluations)
        print(f"{name}: {row.cycles_per_frame:,.0f} cycles per frame", file=sys.stderr, flush=True)
        found = None if runs is None else accuracy(name, evaluations, runs / name, may_train)
        yield Row(**{**vars(row), "accuracy": found})


def table(rows: list[Row]) -> Table:
    """Return the rows for people."""
    out = Table(title=f"Simulated, and resources by open synthesis, {CLOCK_MHZ} MHz")
    figures = list(rows[0].resources)
    columns = ("order", "iterations", "stages", "cycles/frame", "latency", *figures, "DSP of the field", "accuracy")
    out.add_column("solver")
    for column in columns:
        out.add_column(column, justify="right")
    for row in rows:
        used = [f"{row.resources[name]:,.6g}" for name in figures]
        share = "" if row.accuracy is None else f"{100 * row.accuracy:.1f} %"
        cycles = [f"{row.cycles_per_frame:,.1f}", f"{row.latency_cycles:,}"]
        counts = [str(row.order), str(row.iterations), str(row.stages)]
        out.add_row(row.solver, *counts, *cycles, *used, str(row.field_dsp), share)
    return out


def main() -> None:
    """Measure and print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--solvers", nargs="+", choices=list(SOLVERS), default=list(SOLVERS), metavar="NAME")
    parser.add_argument("--evaluations", type=int, default=EVALUATIONS, metavar="N", help="default: %(default)s")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="folder of the trainings")
    parser.add_argument("--train", action="store_true", help="train what is missing in --runs")
    options = parser.parse_args()
    if options.train and options.runs is None:
        parser.error("--train needs --runs DIR")
    rows = list(measure(options.solvers, options.evaluations, options.runs, options.train))
    if options.json:
        print(json.dumps({"solvers": [asdict(row) for row in rows]}, indent=2))
        return
    Console(width=170).print(table(rows))


if __name__ == "__main__":
    main()
