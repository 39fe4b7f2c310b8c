"""Deep CORAL: align the second-order statistics of both domains' features."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor

from brevitas_models.adaptation.base import AdaptationLoss, Batch


def covariance(features: Tensor) -> Tensor:
    """Unbiased covariance [C, C] of features [N, C], N >= 2."""
    centred = features - features.mean(dim=0)
    return centred.T @ centred / (len(features) - 1)


class Coral(AdaptationLoss):
    """`|C_source - C_target|² / (4·d²)` with the Frobenius norm and d features.

    Source: Sun & Saenko, "Deep CORAL: correlation alignment for deep domain adaptation", 2016, equation 1.
    """

    name: Literal["coral"] = "coral"

    def loss(self, batch: Batch, prepared: Any) -> Tensor:
        difference = covariance(batch.source_features.float()) - covariance(batch.target_features.float())
        return difference.square().sum() / (4 * difference.shape[0] ** 2)
