"""How well a network does on images without labels, and a warning when adaptation made it worse."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional

from brevitas_models.networks import ODENet
from brevitas_models.training.augmentation import Augmentation

LEAST_CLASSES = 0.8
"""Share of the effective classes before adaptation below which a warning is due."""

LEAST_STABILITY, LEAST_SOURCE = 0.05, 0.05
"""Losses of stability and of source accuracy from which a warning is due."""


@dataclass(frozen=True)
class UnlabelledScores:
    """Three figures that need no label.

    Parameters
    ----------
    effective_classes
        Exponential of the entropy of the histogram of predicted classes, 1 to the number of classes. It falls when
        classes melt into one another, which is how self-training on its own guesses usually fails.
    stability
        Share of the images, 0 to 1, that stay in their class when they are distorted as in training.
    confidence
        Mean probability of the predicted class, 0 to 1. Training on own guesses raises it in any case.
    """

    effective_classes: float
    stability: float
    confidence: float

    def to_json(self) -> dict[str, float]:
        """Return the figures as plain values."""
        return asdict(self)


@torch.no_grad()
def unlabelled_scores(
    network: ODENet, batches: list[Tensor], augmentation: Augmentation, generator: torch.Generator
) -> UnlabelledScores:
    """Scores of a network, in eval mode, on image values [N, C, H, W]."""
    network.eval()
    probabilities = torch.cat([functional.softmax(network(batch).float(), dim=1) for batch in batches])
    distorted = torch.cat([network(augmentation.apply(batch, generator)).argmax(dim=1) for batch in batches])
    confidence, classes = probabilities.max(dim=1)
    shares = torch.bincount(classes, minlength=probabilities.shape[1]) / len(classes)
    return UnlabelledScores(
        effective_classes=float(torch.special.entr(shares).sum().exp()),
        stability=float((distorted == classes).float().mean()),
        confidence=float(confidence.mean()),
    )


def adaptation_warnings(
    before: UnlabelledScores, after: UnlabelledScores, source_before: float, source_after: float
) -> list[str]:
    """One line for each figure that says that adaptation made things worse; none when all is well.

    Parameters
    ----------
    before, after
        Scores on the target's training images, after training on the source alone and at the end.
    source_before, source_after
        Accuracy on the source's test images, 0 to 1.
    """
    warnings = []
    if after.effective_classes < LEAST_CLASSES * before.effective_classes:
        warnings.append(
            f"adaptation may have merged classes of the target: effective classes {after.effective_classes:.1f}, "
            f"{before.effective_classes:.1f} before it"
        )
    if after.stability < before.stability - LEAST_STABILITY:
        warnings.append(
            f"adaptation made predictions on the target less stable: {after.stability:.1%} keep their class when "
            f"distorted, {before.stability:.1%} before it"
        )
    if source_after < source_before - LEAST_SOURCE:
        warnings.append(f"adaptation cost accuracy on the source: {source_after:.1%}, {source_before:.1%} before it")
    return warnings
