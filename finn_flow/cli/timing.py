"""`dsode timing`: whether the clock holds, by a delay model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from finn_flow.cli.output import console, json_option, print_json, progress

if TYPE_CHECKING:
    from finn_flow.timing.report import TimingReport


@click.command("timing")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Nodes at a time.")
@click.option("--steps", is_flag=True, help="Show what lies on the slowest path, too.")
@json_option
def command(folder: Path, jobs: int, steps: bool, as_json: bool) -> None:
    """Estimate the slowest paths of the netlist that `dsode build` wrote to DIR, in nodes and across their borders.

    Nodes are mapped by open synthesis (kept in the cache) and timed by a delay model, +-25 %; the figures are not
    Vivado's. They are written to DIR/report/timing.json.

    Example: dsode timing build --steps
    """
    from finn_flow.timing.report import time_build

    report = time_build(folder, jobs, progress)
    if as_json:
        print_json(report.to_json())
    else:
        _print(report, steps)


def _print(report: TimingReport, steps: bool) -> None:
    from rich.table import Table

    from finn_flow.timing.delays import MODEL
    from finn_flow.timing.paths import MANY_LOADS
    from finn_flow.timing.report import TARGET_NS

    out = console()
    table = Table("ns", "LUT levels", "from", "to", title="Slowest paths (estimate)", caption=MODEL)
    for found in report.paths:
        path = found.path
        table.add_row(f"{path.delay_ns:.2f}", str(path.lut_levels), path.start, path.end)
    out.print(table)
    if steps and report.paths:
        out.print("On the slowest path:", *report.paths[0].path.steps, sep="\n  ", highlight=False)
    if report.fan_outs:
        nets = Table("net", "loads", title=f"Nets with more than {MANY_LOADS:,} loads")
        for net, loads in report.fan_outs.items():
            nets.add_row(net, f"{loads:,}")
        out.print(nets)
    holds = "holds" if report.worst_ns <= TARGET_NS else "does not hold"
    out.print(f"slowest path {report.worst_ns:.2f} ns; the target of {TARGET_NS:.1f} ns {holds} (estimate)")
