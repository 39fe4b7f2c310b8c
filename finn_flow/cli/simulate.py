"""`dsode simulate`: the whole accelerator in Verilator, held against golden results."""

from __future__ import annotations

from pathlib import Path

import click

from finn_flow.cli.output import give, json_option, progress

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
@click.option(
    "--trace",
    type=click.Path(path_type=Path),
    help="Write the waveform to this .vcd file, for Surfer or GTKWave; name few --frames.",
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
    trace: Path | None,
    as_json: bool,
) -> None:
    """Simulate the accelerator that `dsode build` wrote to DIR, cycle by cycle, and compare every label and logit.

    Exit status 1 if any frame differs; the first difference is then traced to its node.

    Example: dsode simulate build --golden golden.npz --frames 100 --stall 0.3 --seed 1
    """
    from finn_flow.api.simulating import simulate

    result = simulate(
        folder,
        golden,
        frames=frames,
        stall=stall or 0.0,
        seed=seed,
        expected=expected,
        trace=trace,
        progress=progress,
    )
    give(result, as_json)
    if not result.exact:
        ctx.exit(FAILED)
