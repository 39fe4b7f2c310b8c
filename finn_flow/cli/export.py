"""`dsode export`: QONNX with golden inputs and outputs."""

from pathlib import Path

import click

from finn_flow.cli.output import give, json_option


@click.command(name="export")
@click.argument("source", type=click.Path(path_type=Path), required=False, metavar="[DIR|CHECKPOINT|zoo:NAME]")
@click.option("--out", "path", type=click.Path(path_type=Path), required=True, help="The .onnx file to write.")
@click.option(
    "--samples", type=click.IntRange(1, 1_000_000), default=32, show_default=True, help="Number of golden inputs."
)
@click.option("--untrained", metavar="CONFIG|PRESET", help="Export a calibrated random network.")
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of the untrained network."
)
@json_option
def command(source: Path | None, path: Path, samples: int, untrained: str | None, seed: int, as_json: bool) -> None:
    """Export a network to QONNX, with golden.npz (inputs, expected outputs) and golden.json (where from) beside it.

    The golden inputs are the first test images of the training's target, or random images for an untrained network.
    Nothing is written unless the graph gives Brevitas's logits on them bit for bit.

    SOURCE is a training's folder, a checkpoint, or zoo:NAME, a network that ships (`dsode zoo list`).

    Example: dsode export runs/quick --out runs/quick/model.onnx
    """
    from finn_flow.api.exporting import export

    give(export(source, path, samples=samples, untrained=untrained, seed=seed), as_json)
