"""`dsode demo`: the whole flow on real images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finn_flow.cli.output import console, json_option, print_json, progress
from finn_flow.configurations import SHIPPED


@click.command("demo")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Results go here."
)
@click.option("--configs", type=click.Path(path_type=Path), default=SHIPPED, help="The folder build_configs.")
@json_option
def command(out: Path, configs: Path, as_json: bool) -> None:
    """Train a small dsODENet, build its accelerator and let the driver classify real USPS images on a simulated board.

    Takes a few minutes the first time. The images, the training and the compiled simulations are kept for the next.

    Example: dsode demo --out demo
    """
    from finn_flow.cli.demo_run import run_demo

    results = run_demo(configs, out, progress)
    if as_json:
        print_json(results)
    else:
        _print(results, out)


def _print(results: dict[str, Any], out: Path) -> None:
    from rich.table import Table

    from brevitas_models.training.results import LABELS

    accuracy, chain = results["training"]["accuracy"], results["exactness"]
    simulation, resources = results["simulation"], results["estimates"]["resources"]
    table = Table("", "", title="MNIST to USPS on the ZCU104, simulated", show_header=False)
    for phase, label in LABELS.items():
        table.add_row(f"accuracy on USPS, {label}", f"{100 * accuracy[phase]['target']:.1f} %")
    table.add_row("compared exactly, logits included", f"Brevitas = {' = '.join(chain['links'])}")
    table.add_row("images compared", f"{chain['images']}, mismatches {chain['mismatches']}")
    table.add_row("images through the simulated accelerator", f"{simulation['frames']}")
    table.add_row("mismatches", f"{simulation['mismatches']}")
    table.add_row("accuracy of the simulated accelerator", f"{100 * simulation['accuracy']:.1f} %")
    table.add_row("cycles per frame", f"{simulation['cycles_per_frame']:,.0f}")
    table.add_row("latency of the first frame", f"{simulation['first_frame_latency_cycles']:,} cycles")
    rate, clock = simulation["frames_per_second"], simulation["clock_mhz"]
    table.add_row(f"frames per second at {clock:g} MHz", f"{rate:,.0f}")
    shares = ", ".join(f"{row['estimated']:,g} {name} ({row['percent']} %)" for name, row in resources.items())
    table.add_row("estimated resources", shares)
    board = results["board"]
    table.add_row("package for the board", f"{board['archive']}, {board['files']} files")
    table.add_row("driver on the simulated board, samples", f"{board['samples']}, mismatches {board['mismatches']}")
    table.add_row("driver on the simulated board, pictures", f"{board['pictures']}, {board['right']} right")
    console().print(table)
    console().print(f"Everything is in {out}. The report, with pictures: {results['report']}", soft_wrap=True)
