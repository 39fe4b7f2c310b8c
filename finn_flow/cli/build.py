"""`dsode build`: a QONNX model through the FINN flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from finn_flow.build_folder import BuildFolder
from finn_flow.cli.configurations import BUILDS, ConfigurationFile
from finn_flow.cli.output import console, json_option, print_json, progress
from finn_flow.json_files import read_json_object


@click.command("build")
@click.argument("config", type=ConfigurationFile(BUILDS))
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    required=True,
    help="QONNX file from `dsode export`, or zoo:NAME, a network that ships.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for reports and hardware.")
@json_option
def command(config: Path, model: Path, out: Path, as_json: bool) -> None:
    """Run the steps of a FINN build configuration on a QONNX model.

    CONFIG is a JSON or YAML file, or the name of one that ships: those in build_configs, without .json.

    Without Vivado the flow ends before the first step that needs it, and the outputs left out are named.

    A network of the zoo is exported into the folder first, with its golden files.

    Example: dsode build zcu104 --model model.onnx --out build
    """
    from brevitas_models.zoo import is_zoo_name
    from finn_flow.build import build

    if is_zoo_name(model):
        from finn_flow.export.sources import SAMPLES, trained_source

        source, model = trained_source(model, SAMPLES), out / "model.onnx"
        progress(f"exporting to {model}, with golden.npz beside it")
        source.export(model)
    result = build(config, model, out, progress)
    report = read_json_object(BuildFolder(result.folder).estimates)
    if as_json:
        print_json({"folder": str(result.folder), "left_out": result.left_out, **report})
        return
    _print_report(report)
    if result.left_out:
        names = ", ".join(result.left_out)
        console().print(
            f"Left out for want of Vivado: {names}. `dsode package` writes a script that makes the bitfile."
        )


def _print_report(report: dict[str, Any]) -> None:
    from rich.table import Table

    out = console()
    table = Table("node", "folding", "cycles per pass", "passes", "cycles per frame", title="Estimated cycles")
    for node in report["nodes"]:
        folding = " ".join(f"{name}={value}" for name, value in node["folding"].items())
        indent = "  " if node["loop"] else ""
        numbers = [str(node[key]) for key in ("cycles_per_pass", "iterations", "cycles_per_frame")]
        table.add_row(indent + node["name"], folding, *numbers)
    out.print(table)
    heads = ("loop", "passes", "bodies", "body II", "cycles per frame", "feedback FIFO", "limited by")
    loops = Table(*heads, title="ODE loops")
    for loop in report["loops"]:
        numbers = [str(loop[key]) for key in ("iterations", "bodies", "body_ii_cycles", "cycles_per_frame")]
        loops.add_row(loop["name"], *numbers, f"{loop['feedback_fifo_bits']:,} bits", loop["limited_by"])
    if report["loops"]:
        out.print(loops)
    resources = Table("resource", "estimated", "on the board", "share", title="Estimated resources")
    for name, row in report["resources"].items():
        resources.add_row(name, f"{row['estimated']:,}", f"{row['available']:,}", f"{row['percent']} %")
    out.print(resources)
    network = report["network"]
    out.print(
        f"{network['cycles_per_frame']:,} cycles per frame (limited by {network['limited_by']}): "
        f"{network['frames_per_second']:,.0f} frames/s at {network['clock_mhz']:g} MHz, estimated."
    )
    beyond = [f"{row['percent']} % of its {name}" for name, row in report["resources"].items() if row["percent"] > 100]
    if beyond:
        out.print(f"It does not fit on the board: it would take {', '.join(beyond)}.")
