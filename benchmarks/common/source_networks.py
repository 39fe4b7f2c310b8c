"""Networks that know one domain only, for adapting them to another on the board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from brevitas_models.calibration import estimate_statistics
from brevitas_models.checkpoint import CHECKPOINT_FILE, load_checkpoint
from brevitas_models.networks import ODENet
from brevitas_models.training import train
from brevitas_models.training.config import TrainingConfig
from brevitas_models.training.domains import Domains, load_domains
from finn_flow.deployment.driver.network import Network
from finn_flow.deployment.network_description import NetworkDescription
from finn_flow.export.qonnx import to_qonnx
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.progress import Progress
from finn_flow.steps.adaptation import step_make_parameters_writable
from finn_flow.steps.frontend import step_lower_to_integers, step_roll_ode_blocks, step_select_labels
from finn_flow.steps.hardware import step_convert_to_hardware
from finn_flow.transformations.place_parameters import PlaceParameters

NETWORK = {"in_channels": 1, "image_size": [16, 16], "channels": [16, 32], "iterations": [4, 4]}
BATCH, STATISTICS_BATCHES, KNOWN_IMAGES = 64, 16, 256


@dataclass(frozen=True)
class SourceNetwork:
    """A quantised network with the statistics of its source, in Brevitas and as the accelerator's driver runs it."""

    brevitas: ODENet
    network: Network
    domains: Domains


def source_config(source: str, target: str) -> TrainingConfig:
    """Return a training of a few minutes that never sees the target."""
    config = {
        "network": NETWORK,
        "source": {"name": source, "images": 20000 if source == "mnist" else None},
        "target": {"name": target},
        "source_only_epochs": 3,
        "float_epochs": 1,
        "quantised_epochs": 4,
        "steps_per_epoch": 60,
        "batch_size": BATCH,
        "augmentation": {"rotation_degrees": 10, "shift": 0.06, "shear": 0.1, "scale": [0.9, 1.1]},
    }
    return TrainingConfig.model_validate(config)


def source_network(source: str, target: str, runs: Path, report: Progress) -> SourceNetwork:
    """Return the network trained on `source` alone; trained first, if `runs` does not hold it."""
    config, folder = source_config(source, target), runs / f"source_only_{source}"
    if not (folder / CHECKPOINT_FILE).is_file():
        train(config, folder, report=report)
    _, brevitas = load_checkpoint(folder / CHECKPOINT_FILE)
    domains = load_domains(config, torch.device("cpu"))
    # Trainings end with statistics of the target.
    starts = range(0, STATISTICS_BATCHES * BATCH, BATCH)
    estimate_statistics(brevitas, [domains.source.values(slice(start, start + BATCH)) for start in starts])
    path = folder / "network.npz"
    path.write_bytes(_description(brevitas, codes_of(domains.source_test.images[:KNOWN_IMAGES])))
    return SourceNetwork(brevitas, Network.load(path), domains)


def _description(network: ODENet, known: np.ndarray) -> bytes:
    ensure_finn()
    model = to_qonnx(network)
    steps = (
        step_roll_ode_blocks,
        step_lower_to_integers,
        step_select_labels,
        step_convert_to_hardware,
        step_make_parameters_writable,
    )
    for step in steps:
        model = step(model, None)
    return NetworkDescription.of(model.transform(PlaceParameters())).with_information(known).to_bytes()


def codes_of(images: torch.Tensor) -> np.ndarray:
    """Return images [N, C, H, W] as the driver takes them, uint8 [N, H, W, C]."""
    return np.ascontiguousarray(images.numpy().transpose(0, 2, 3, 1))
