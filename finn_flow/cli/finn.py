"""`dsode finn`: FINN's own command, without Vivado."""

from __future__ import annotations

import click


@click.command("finn", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND [ARGUMENTS]...")
@click.pass_context
def command(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Run FINN's own command line with our Verilator back end in it, so that it works without Vivado.

    `finn build CONFIG MODEL` by itself looks for Vivado before its first step. Here it runs up to the first step that
    needs it. `dsode build` runs the same configuration, compares every form of the model with the one before, and is
    what to use. Arguments are FINN's, `--help` included.

    Example: dsode finn build build_configs/zcu104.json model.onnx --output build --batch
    """
    if arguments in (("--help",), ("-h",)):
        click.echo(ctx.get_help())
        return
    from finn_flow.finn_adapter.finn_command import run_finn

    ctx.exit(run_finn(arguments))
