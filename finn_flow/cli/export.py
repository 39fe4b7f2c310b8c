"""`dsode export`: QONNX with golden inputs and outputs."""

from pathlib import Path
from typing import Any

import click

from finn_flow.cli.output import console, json_option, print_json
from finn_flow.errors import UserError


@click.command(name="export")
@click.argument("source", type=click.Path(path_type=Path), required=False, metavar="[DIR|CHECKPOINT]")
@click.option("--out", "path", type=click.Path(path_type=Path), required=True, help="The .onnx file to write.")
@click.option("--samples", type=click.IntRange(min=1), default=32, show_default=True, help="Number of golden inputs.")
@click.option("--untrained", metavar="CONFIG|PRESET", help="Export a calibrated random network.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the untrained network.")
@json_option
def command(source: Path | None, path: Path, samples: int, untrained: str | None, seed: int, as_json: bool) -> None:
    """Export a network to QONNX, with golden.npz (inputs, expected outputs) and golden.json (where from) beside it.

    The golden inputs are the first test images of the training's target, or random images for an untrained network.
    Nothing is written unless the graph gives Brevitas's logits on them bit for bit.

    Example: dsode export runs/quick --out runs/quick/model.onnx
    """
    if (source is None) == (untrained is None):
        raise UserError("name either a training's folder (or checkpoint) or --untrained CONFIG")
    if path.suffix != ".onnx":
        raise UserError(f"--out must be a file name that ends in .onnx, not {path}")
    from finn_flow.export.network import export_network
    from finn_flow.files import check_writable_dir

    if untrained is not None:
        network, inputs, labels, notes = _untrained(untrained, seed, samples)
    else:
        assert source is not None
        network, inputs, labels, notes = _trained(source, samples)
    check_writable_dir(path.parent)
    golden = export_network(network, path, inputs, labels, notes)
    right = None if labels is None else int((golden.logits.argmax(axis=1) == labels).sum())
    if as_json:
        print_json({"model": str(path), "samples": len(inputs), "bit_exact": True, "right": right})
        return
    console().print(f"{path}: equal to Brevitas, bit for bit, on {len(inputs)} golden inputs", soft_wrap=True)
    if right is not None:
        console().print(f"{right} of {len(inputs)} classified rightly")


def _untrained(config: str, seed: int, samples: int) -> tuple[Any, Any, None, dict[str, Any]]:
    from brevitas_models.config import load_network_config
    from brevitas_models.untrained import smooth_images, untrained_network

    network_config = load_network_config(config)
    # Other images than those that the network was calibrated on.
    inputs = smooth_images(network_config, samples, seed + 1)
    notes = _notes(network_config, "random", [str(number) for number in range(network_config.num_classes)])
    return untrained_network(network_config, seed), inputs, None, notes


def _trained(source: Path, samples: int) -> tuple[Any, Any, Any, dict[str, Any]]:
    from brevitas_models.checkpoint import load_checkpoint, read_checkpoint
    from brevitas_models.config import parse_config
    from brevitas_models.training.config import PHASES, TrainingConfig
    from brevitas_models.training.domains import load_test_images, network_preprocessing

    content = read_checkpoint(source)
    config, network = load_checkpoint(source)
    training = parse_config(TrainingConfig, content["details"].get("training"), f"{source}: `training`")
    target = training.target
    chosen = load_test_images(target, network_preprocessing(config), tuple(content["class_names"]), samples)
    reached = content["details"].get("accuracy", {}).get(PHASES[-1])
    notes = _notes(config, target.name, content["class_names"], None if reached is None else reached["target"])
    return network, chosen.images, chosen.labels, notes


def _notes(config: Any, dataset: str, class_names: list[str], accuracy: float | None = None) -> dict[str, Any]:
    """What the driver needs to know, and the accuracy on the target's test split, 0 to 1.

    Networks of other than 1 or 3 channels have no preprocessing.
    """
    from brevitas_models.training.domains import network_preprocessing

    preprocessing = network_preprocessing(config).to_json() if config.in_channels in (1, 3) else None
    return {"dataset": dataset, "class_names": class_names, "preprocessing": preprocessing, "accuracy": accuracy}
