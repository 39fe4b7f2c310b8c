"""What can be exported: a training's checkpoint, a network of the zoo, or a calibrated random network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brevitas_models.checkpoint import load_checkpoint, read_checkpoint
from brevitas_models.config import NetworkConfig, load_network_config, parse_config
from brevitas_models.networks import ODENet
from brevitas_models.training.config import PHASES, TrainingConfig
from brevitas_models.training.domains import load_test_images, network_preprocessing
from brevitas_models.training.results import METRICS_FILE
from brevitas_models.untrained import smooth_images, untrained_network
from brevitas_models.zoo import is_zoo_name, zoo_folder
from finn_flow.deployment.driver.preprocessing import Uint8Array
from finn_flow.export.network import Golden, export_network
from finn_flow.json_files import read_json_object_if_there

SAMPLES = 32

REPORTED = ("source", "target", "accuracy", "adaptation", "history", "test_images", "confusion")
"""Of a training's metrics, what goes with the model: its builds then tell how it was made."""


@dataclass(frozen=True)
class ExportSource:
    """A network, golden inputs for it, and what the driver on the board needs to know.

    Parameters
    ----------
    inputs, labels
        As `Golden`.
    notes
        For `golden.json`.
    """

    network: ODENet
    inputs: Uint8Array
    labels: NDArray[np.int64] | None
    notes: dict[str, Any]

    def export(self, path: Path) -> Golden:
        """Write the QONNX graph to `path` and the golden files beside it; raises as `export_network`."""
        return export_network(self.network, path, self.inputs, self.labels, self.notes)


def untrained_source(config: str, seed: int, samples: int) -> ExportSource:
    """Return a random network of a preset or config file by `seed`, on random images."""
    network_config = load_network_config(config)
    # Other images than those that the network was calibrated on.
    inputs = smooth_images(network_config, samples, seed + 1)
    notes = _notes(network_config, "random", [str(number) for number in range(network_config.num_classes)])
    return ExportSource(untrained_network(network_config, seed), inputs, None, notes)


def trained_source(source: Path, samples: int) -> ExportSource:
    """Return a training's folder, a checkpoint or `zoo:NAME`, on the first test images of its target.

    Raises
    ------
    UserError
        No such checkpoint, a damaged one, or its target's images are not there.
    """
    if is_zoo_name(source):
        source = zoo_folder(source)
    content = read_checkpoint(source)
    config, network = load_checkpoint(source)
    training = parse_config(TrainingConfig, content["details"].get("training"), f"{source}: `training`")
    class_names = content["class_names"]
    images = load_test_images(training.target, network_preprocessing(config), tuple(class_names), samples)
    reached = content["details"].get("accuracy", {}).get(PHASES[-1])
    notes = _notes(config, training.target.name, class_names, None if reached is None else reached["target"])
    metrics = read_json_object_if_there((source if source.is_dir() else source.parent) / METRICS_FILE)
    if metrics is not None:
        notes["training"] = {key: metrics[key] for key in REPORTED if key in metrics}
    return ExportSource(network, images.images, images.labels, notes)


def _notes(
    config: NetworkConfig, dataset: str, class_names: list[str], accuracy: float | None = None
) -> dict[str, Any]:
    """Return what the driver needs to know, and the accuracy on the target's test split, 0 to 1.

    Networks of other than 1 or 3 channels have no preprocessing.
    """
    preprocessing = network_preprocessing(config).to_json() if config.in_channels in (1, 3) else None
    return {"dataset": dataset, "class_names": class_names, "preprocessing": preprocessing, "accuracy": accuracy}
