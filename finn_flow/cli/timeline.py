"""`dsode timeline`: the wavefront, from the simulation."""

from __future__ import annotations

from pathlib import Path

import click

from finn_flow.cli.output import give, json_option, progress


@click.command("timeline")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--frames", type=click.IntRange(2, 100), default=3, show_default=True, help="Frames to send back to back."
)
@json_option
def command(folder: Path, frames: int, as_json: bool) -> None:
    """Show over time which iteration every node of the build in DIR works on, and how full the FIFOs are.

    A lone frame, and several back to back, are simulated with every stream watched. Writes DIR/report/timeline.json,
    wavefront.svg and wavefront_animated.svg; `dsode report` shows them.

    Example: dsode timeline build --frames 4
    """
    from finn_flow.api.timeline import timeline

    give(timeline(folder, frames, progress), as_json)
