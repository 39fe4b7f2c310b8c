"""`dsode synth`: what the accelerator takes of the device, by open synthesis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from finn_flow.cli.output import console, json_option, print_json, progress

if TYPE_CHECKING:
    from finn_flow.synthesis.report import SynthesisReport


@click.command("synth")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--node", help="Only this node of the netlist.")
@click.option("--flat", is_flag=True, help="Synthesise the accelerator as one, too, to compare the sum with (slow).")
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Nodes at a time.")
@json_option
def command(folder: Path, node: str | None, flat: bool, jobs: int, as_json: bool) -> None:
    """Synthesise the netlist that `dsode build` wrote to DIR with open tools, node by node.

    The figures are estimates of an open tool, not calibrated against Vivado. They are kept in the cache, and written to
    DIR/report/synthesis.json.

    Example: dsode synth build --node MVAU_rtl_0
    """
    from finn_flow.synthesis.report import synthesise_build

    report = synthesise_build(folder, node, flat, jobs, progress)
    if as_json:
        print_json(report.to_json())
    else:
        _print(report)


def _print(report: SynthesisReport) -> None:
    from rich.table import Table

    from finn_flow.synthesis.report import BOARD, COMPARED
    from finn_flow.synthesis.resources import LABEL

    out = console()
    columns = ("LUT logic", "LUTRAM", "SRL", "LUT", "FF", "CARRY8", "DSP48E2", "BRAM36", "URAM")
    keys = ("lut_logic", "lutram", "srl", "lut_total", "ff", "carry8", "dsp48e2", "bram36", "uram288")
    table = Table("node", title="Resources per node", caption=LABEL)
    for column in columns:
        table.add_column(column, justify="right")
    rows = [(("  " if node.loop else "") + node.name, node.resources) for node in report.nodes]
    rows.append(("sum", report.sum))
    if report.flat is not None:
        rows.append(("as one", report.flat))
    for name, resources in rows:
        figures = resources.to_json()
        table.add_row(name, *(f"{figures[key]:,}" for key in keys))
    out.print(table)
    shares = Table("resource", "used", "on the board", "share", title=f"Share of the {BOARD}", caption=LABEL)
    for name, row in report.board_shares().items():
        shares.add_row(name, f"{row['used']:,}", f"{row['available']:,}", f"{row['percent']} %")
    out.print(shares)
    errors = Table("node type", "nodes", title="Quick estimates against synthesis (estimate / synthesis)")
    for name in (*COMPARED, "LUT error", "worst LUT error"):
        errors.add_column(name, justify="right")
    for entry in report.estimate_errors():
        pairs = [f"{entry[name]['estimate']:,} / {entry[name]['synthesis']:,}" for name in COMPARED]
        percents = [f"{entry[key]:+.0f} %" for key in ("lut_error_percent", "worst_lut_error_percent")]
        errors.add_row(entry["op"], str(entry["nodes"]), *pairs, *percents)
    out.print(errors)
