"""`dsode deploy`: the package onto a board, and its validation there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from finn_flow.cli.board_options import board, board_options
from finn_flow.cli.output import console, json_option, print_json, progress


@click.command("deploy")
@click.argument("target", metavar="USER@BOARD")
@click.argument("build", metavar="DIR", type=click.Path(path_type=Path))
@board_options
@json_option
@click.pass_context
def command(ctx: click.Context, target: str, build: Path, as_json: bool, **options: Any) -> None:
    """Copy the package of the build in DIR to a board over ssh, and validate it there.

    Only what has changed is sent, every file is verified, and the package is replaced in one step. Then PYNQ and NumPy
    are looked for on the board, and the driver compares every integer of the sample images. Exit status 1 if one
    differs.

    Example: dsode deploy xilinx@192.168.2.99 build --sudo
    """
    from finn_flow.build_folder import BuildFolder
    from finn_flow.errors import FlowError

    place = board(target, **options)
    copied = place.copy(BuildFolder(build).package, progress)
    versions = place.check()
    progress(f"{target}: {', '.join(f'{name} {version}' for name, version in versions.items())}; validating")
    done = place.drive(["validate", "--json"], capture=True)
    if not done.stdout.strip():
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise FlowError(f"{target}: the driver failed: {lines[-1] if lines else f'status {done.returncode}'}")
    result = json.loads(done.stdout)
    files = {"sent": copied.sent, "kept": copied.kept, "bytes_sent": copied.bytes_sent}
    if as_json:
        print_json(
            {"board": target, "folder": place.folder, "files": files, "versions": versions, "validation": result}
        )
    else:
        wrong = len(result["mismatches"])
        console().print(f"{target}:{place.folder}: {copied.sent} files sent, {copied.kept} there already")
        console().print(f"{result['images']} sample images, every integer compared: {wrong} differ")
    ctx.exit(done.returncode)
