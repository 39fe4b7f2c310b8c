"""One epoch of one phase: the steps, then the batch-norm statistics, then the accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from brevitas_models.adaptation import AdaptationLoss, Batch
from brevitas_models.calibration import estimate_statistics
from brevitas_models.memory import images_at_once
from brevitas_models.networks import ODENet
from brevitas_models.training import processes
from brevitas_models.training.config import PHASES, TrainingConfig
from brevitas_models.training.domains import Domains, Split, epoch_order, image_values
from brevitas_models.training.teacher import Teacher
from finn_flow.errors import FlowError

STATISTICS_BATCH, STATISTICS_BATCHES = 256, 8
STATISTICS_DRAW = 2**31
"""Stands for an epoch in the seed of the images for statistics, which are the same in all epochs of a phase."""

EVALUATION_BATCH = 256
WARM_UP = 0.1
"""Share of a phase in which the learning rate rises."""

OnStep = Callable[[], None]


@dataclass(frozen=True)
class Phase:
    """What the epochs of a phase have in common.

    Parameters
    ----------
    name
        One of `PHASES`.
    steps
        Per epoch.
    teacher
        Follows the network; None when no loss uses it.
    """

    name: str
    config: TrainingConfig
    domains: Domains
    network: ODENet
    optimizer: torch.optim.Optimizer
    steps: int
    losses: list[AdaptationLoss] = field(default_factory=list)
    teacher: Teacher | None = None

    def generator(self, epoch: int, *parts: int) -> torch.Generator:
        """Source of all randomness of an epoch, or of a part of it that is numbered by `parts`."""
        seeds = [self.config.seed, PHASES.index(self.name), epoch, *parts]
        words = np.random.SeedSequence(seeds).generate_state(1, np.uint64)
        return torch.Generator().manual_seed(int(words[0]))

    def statistics_batches(self) -> list[Tensor]:
        """Plain images of the target domain, or of the source domain without adaptation, in batches of like sizes."""
        if self.name == "source_only":
            return self._plain_batches(self.domains.source.images)
        return self.target_batches()

    def target_batches(self) -> list[Tensor]:
        """Plain training images of the target domain."""
        return self._plain_batches(self.domains.target_images)

    def _plain_batches(self, images: Tensor) -> list[Tensor]:
        chosen = images[torch.randperm(len(images), generator=self.generator(STATISTICS_DRAW)).to(images.device)]
        chosen = chosen[: STATISTICS_BATCH * STATISTICS_BATCHES]
        size = images_at_once(self.config.network, STATISTICS_BATCH)
        return [image_values(batch) for batch in chosen.chunk(-(-len(chosen) // size))]


def learning_rate(highest: float, position: float) -> float:
    """Return the rate at a position from 0 to 1 of a phase: a linear rise, then half a cosine down to zero."""
    if position < WARM_UP:
        return highest * position / WARM_UP
    return highest * 0.5 * (1 + math.cos(math.pi * (position - WARM_UP) / (1 - WARM_UP)))


def run_epoch(phase: Phase, epoch: int, on_step: OnStep) -> dict[str, Any]:
    """Train one epoch and return its entry for the history; the network ends with statistics for evaluation.

    Raises
    ------
    FlowError
        The loss is not a number any more.
    """
    config, domains, device = phase.config, phase.domains, phase.domains.source.images.device
    generator = phase.generator(epoch)
    distortions = generator if processes.count() == 1 else phase.generator(epoch, processes.rank())
    processes.align(phase.network)
    prepared: dict[str, Any] = {}
    if phase.losses:
        estimate_statistics(phase.network, phase.statistics_batches())
        with torch.no_grad():
            prepared = {loss.name: loss.prepare(phase.network, domains.target_images) for loss in phase.losses}
    phase.network.train()
    source_order = epoch_order(len(domains.source), phase.steps, config.batch_size, generator)
    target_order = epoch_order(len(domains.target_images), phase.steps, config.batch_size, generator)
    highest = config.quantised_learning_rate if phase.name == "quantised" else config.learning_rate
    totals: dict[str, float] = dict.fromkeys(["source", *(loss.name for loss in phase.losses)], 0.0)
    for step, (source_indices, target_indices) in enumerate(zip(source_order, target_order, strict=True)):
        position = (epoch * phase.steps + step + 0.5) / (config.epochs(phase.name) * phase.steps)
        for group in phase.optimizer.param_groups:
            group["lr"] = learning_rate(highest, position)
        parts = processes.share(source_indices), processes.share(target_indices)
        losses = _losses(phase, *parts, prepared, distortions)
        weights = {loss.name: loss.weight for loss in phase.losses}
        total = sum((weights.get(name, 1.0) * value for name, value in losses.items()), start=torch.zeros(()))
        if not bool(torch.isfinite(total)):
            raise FlowError(
                f"the loss became {float(total.detach())} in phase {phase.name}, epoch {epoch + 1}; "
                "a lower learning rate in the config may help"
            )
        phase.optimizer.zero_grad()
        total.backward()
        processes.average_gradients(phase.network)
        phase.optimizer.step()
        if phase.teacher is not None:
            phase.teacher.follow(phase.network)
        for name, value in losses.items():
            totals[name] += float(value.detach())
        on_step()
    estimate_statistics(phase.network, phase.statistics_batches())
    return {
        "phase": phase.name,
        "epoch": epoch + 1,
        "losses": {name: value / phase.steps for name, value in processes.average(totals, device).items()},
        "source_accuracy": accuracy(phase.network, domains.source_test.first(config.evaluation_images)),
        "target_accuracy": accuracy(phase.network, domains.target_test.first(config.evaluation_images)),
    }


@torch.no_grad()
def accuracy(network: ODENet, images: Split) -> float:
    """Share of the images, 0 to 1, that the network, in eval mode, puts into the right class."""
    network.eval()
    right = 0
    size = images_at_once(network.config, EVALUATION_BATCH)
    for start in range(0, len(images), size):
        chosen = slice(start, start + size)
        right += int((network(images.values(chosen)).argmax(dim=1) == images.labels[chosen]).sum())
    return right / len(images)


def _losses(
    phase: Phase, source_indices: Tensor, target_indices: Tensor, prepared: dict[str, Any], generator: torch.Generator
) -> dict[str, Tensor]:
    """Return cross-entropy and every adaptation loss, unweighted; each domain normalised by its own batch."""
    domains, network = phase.domains, phase.network
    device = domains.source.images.device
    augment = phase.config.augmentation.apply
    mixed_precision = device.type == "cuda" and phase.name != "quantised"
    source_indices, target_indices = source_indices.to(device), target_indices.to(device)
    labels = domains.source.labels[source_indices]
    with torch.autocast(device.type, torch.bfloat16, enabled=mixed_precision):
        source_features = network.features(augment(domains.source.values(source_indices), generator))
        source_logits = network.classifier(source_features)
        losses = {"source": functional.cross_entropy(source_logits.float(), labels)}
        if phase.losses:
            target_values = image_values(domains.target_images[target_indices])
            target_features = network.features(augment(target_values, generator))
            batch = Batch(
                source_features,
                source_logits,
                labels,
                target_features,
                network.classifier(target_features),
                target_indices,
                None if phase.teacher is None else phase.teacher.logits(target_values),
            )
            losses |= {loss.name: loss.loss(batch, prepared[loss.name]) for loss in phase.losses}
    return losses
