"""`dsode adapt`: new surroundings for a build, from pictures without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finn_flow.cli.output import console, json_option, print_json, progress
from finn_flow.errors import UserError


@click.command("adapt")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--images", required=True, multiple=True, type=click.Path(path_type=Path), help="Folder or file; repeat.")
@click.option("--most", type=click.IntRange(8), default=1024, show_default=True, help="Use at most so many pictures.")
@click.option("--momentum", type=click.FloatRange(0, 1, min_open=True), help="Share of the new statistics; N/(N+16).")
@click.option("--save", default="adapted", show_default=True, help="Name of the profile.")
@click.option("--model", type=click.Path(path_type=Path), help="The exported model that DIR was built of.")
@click.option("--new-model", type=click.Path(path_type=Path), help="Write MODEL with the new statistics here.")
@click.option("--force", is_flag=True, help="Adapt even if the scores get worse.")
@json_option
def command(
    folder: Path,
    images: tuple[Path, ...],
    most: int,
    momentum: float | None,
    save: str,
    model: Path | None,
    new_model: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Make a profile for new surroundings, as the driver's `adapt` makes on the board.

    DIR holds a package (`dsode package`) of a build whose configuration has step_make_parameters_writable. The profile
    goes into DIR/deploy/profiles; copy it to the board's package and take it into use there, or build anew from
    --new-model: both accelerators give the same integers.

    Example: dsode adapt build --images pictures/ --save indoor
    """
    from finn_flow.deployment.adapt_build import adapt_build
    from finn_flow.deployment.driver.errors import DriverError

    if (model is None) != (new_model is None):
        raise UserError("--model and --new-model go together")
    try:
        adapted = adapt_build(folder, list(images), most, momentum, save, force, progress)
        if model is not None and new_model is not None:
            adapted.write_model(model, new_model)
    except DriverError as error:
        raise UserError(str(error)) from None
    result: dict[str, Any] = {"file": str(adapted.profile), **adapted.adaptation.to_json()}
    if as_json:
        print_json(result)
        return
    out = console()
    for name in ("entropy", "classes", "margin", "information"):
        out.print(f"{name:12} {result['before'][name]:8.3f} -> {result['after'][name]:.3f}")
    out.print(f"{result['file']}: adapted to {result['images']} pictures")
