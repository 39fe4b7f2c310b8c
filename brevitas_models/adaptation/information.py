"""Information maximisation: each target image clearly one class, all classes about equally often."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor
from torch.nn import functional

from brevitas_models.adaptation.base import AdaptationLoss, Batch


class InformationMaximisation(AdaptationLoss):
    """Mean entropy of the target's predictions minus the entropy of the mean prediction, in nats.

    Source: Liang et al., "Do we really need to access the source data? Source hypothesis transfer for unsupervised
    domain adaptation" (SHOT), 2020, equations 2 and 3.
    """

    name: Literal["information_maximisation"] = "information_maximisation"

    def loss(self, batch: Batch, prepared: Any) -> Tensor:
        log_probabilities = functional.log_softmax(batch.target_logits.float(), dim=1)
        probabilities = log_probabilities.exp()
        entropy = -(probabilities * log_probabilities).sum(dim=1).mean()
        mean = probabilities.mean(dim=0)
        return entropy + (mean * (mean + 1e-8).log()).sum()
