"""`dsode explore`: design-space exploration, on one machine or many."""

from __future__ import annotations

from pathlib import Path

import click

from finn_flow.cli.output import give, json_option, progress
from finn_flow.errors import UserError


@click.command("explore")
@click.argument("space", metavar="[SPACE.json]", required=False, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the exploration.")
@click.option("--workers", type=click.IntRange(1, 1024), default=2, show_default=True, help="Candidates at a time.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler that runs already, instead of local workers.")
@click.option("--slurm", is_flag=True, help="Start the workers as jobs of Slurm, by dask-jobqueue.")
@click.option("--front/--no-front", default=True, help="Build, simulate and synthesise the front at the end (default).")
@click.option(
    "--best",
    metavar="CONDITIONS",
    help='Write the configs of the best that meet "LUT<60000, fps>20000"; no SPACE then.',
)
@json_option
def command(
    space: Path | None,
    out: Path,
    workers: int,
    scheduler: str | None,
    slurm: bool,
    front: bool,
    best: str | None,
    as_json: bool,
) -> None:
    """Explore networks, foldings and clocks for the best compromises.

    SPACE.json holds `network`, `training` (optional) and `build`, over a training's and a build's configuration, in
    which {"any_of": [...]} may stand for any value; `objectives` among accuracy, frames_per_second, latency_cycles,
    LUT, DSP, BRAM36 and URAM; and the number of `trials`. Optuna chooses; each candidate is trained, exported and
    estimated, and those that no other beats are built, simulated and synthesised.

    The same command again goes on where it was, and a second one, on another machine with the folder in common, shares
    the work. OUT/explore.html shows the front.

    Example: dsode explore space.json --out exploration --workers 4
    """
    from finn_flow.explore.best import write_best
    from finn_flow.explore.exploration import open_exploration
    from finn_flow.explore.run import explore
    from finn_flow.explore.space import load_space

    if best is not None:
        if space is not None:
            raise UserError("--best looks at what has been explored: leave SPACE.json out")
        give(write_best(open_exploration(out), best), as_json)
        return
    if space is None:
        raise UserError("name a SPACE.json to explore, or --best CONDITIONS")
    if scheduler is not None and slurm:
        raise UserError("--scheduler and --slurm exclude each other")
    give(explore(load_space(space), out, workers, scheduler, slurm, front, progress), as_json)
