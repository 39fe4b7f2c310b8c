"""`dsode simulate`: the whole accelerator in Verilator, held against golden results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from finn_flow.cli.output import console, json_option, print_json, progress
from finn_flow.errors import UserError

if TYPE_CHECKING:
    from finn_flow.simulation.check import CheckResult

FAILED = 1


@click.command("simulate")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--golden",
    type=click.Path(path_type=Path),
    help="Golden file of `dsode export`, or .npy with the model's inputs. Default: the build's own; without one, "
    "random images and the hardware graph.",
)
@click.option(
    "--expected",
    type=click.Path(path_type=Path),
    help="The outputs for a .npy; default: expected_output.npy beside it.",
)
@click.option(
    "--frames", type=click.IntRange(1, 10_000_000), help="Frames to send; default: all golden ones (16 random ones)."
)
@click.option("--stall", type=float, help="Probability, 0 to below 1, that a source or sink pauses in a cycle.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1,
    show_default=True,
    help="Seed of the pauses and of random images.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    folder: Path,
    golden: Path | None,
    expected: Path | None,
    frames: int | None,
    stall: float | None,
    seed: int,
    as_json: bool,
) -> None:
    """Simulate the accelerator that `dsode build` wrote to DIR, cycle by cycle, and compare every label and logit.

    Exit status 1 if any frame differs; the first difference is then traced to its node.

    Example: dsode simulate build --golden golden.npz --frames 100 --stall 0.3 --seed 1
    """
    from finn_flow.simulation.check import check_accelerator
    from finn_flow.verilator import Stall

    if stall is not None and not 0 <= stall < 1:
        raise UserError(f"--stall must be at least 0 and below 1, not {stall}")
    pauses = Stall.random(stall, stall, seed) if stall else Stall.none()
    result = check_accelerator(folder, golden, frames, pauses, progress, seed, expected)
    if as_json:
        print_json({**result.to_json(), "stall": stall or 0.0, "seed": seed})
    else:
        _print(result)
    if result.mismatches:
        ctx.exit(FAILED)


def _print(result: CheckResult) -> None:
    from rich.table import Table

    table = Table("figure", "value", title=f"Simulation against {result.golden}")
    rows = {"frames": f"{result.frames:,}", "mismatches": f"{result.mismatches:,}"}
    if result.correct is not None:
        rows["accuracy"] = f"{100 * result.correct / result.frames:.1f} %"
    if result.cycles_per_frame is not None and result.frames_per_second is not None:
        rows["cycles per frame (steady state)"] = f"{result.cycles_per_frame:,.1f}"
        rows[f"frames per second at {1e3 / result.clk_ns:g} MHz"] = f"{result.frames_per_second:,.0f}"
    rows["latency of the first frame"] = f"{result.first_frame_latency_cycles:,} cycles"
    rows["simulated"] = f"{result.cycles:,} cycles in {result.seconds:.1f} s"
    rows["simulated cycles per second"] = f"{result.cycles / result.seconds:,.0f}"
    for name, value in rows.items():
        table.add_row(name, value)
    out = console()
    out.print(table)
    if result.first_mismatch is not None:
        out.print(f"Frame {result.first_mismatch['frame']} differs: {result.first_mismatch['message']}")
