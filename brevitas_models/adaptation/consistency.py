"""Consistency under augmentation: what the teacher calls the plain image, the network must call the distorted one."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional

from brevitas_models.adaptation.base import AdaptationLoss, Batch


class Consistency(AdaptationLoss):
    """Cross-entropy of distorted target images on the teacher's class of the plain ones, where the teacher is sure.

    `mean over images of [p_max > threshold] · -log p_student(argmax p_teacher)`; an image of which the teacher is not
    sure counts as zero.

    Source: Sohn et al., "FixMatch: simplifying semi-supervised learning with consistency and confidence", 2020,
    equation 4; the teacher's moving average is that of `self_ensembling`.

    Parameters
    ----------
    threshold
        The least probability of the teacher's first class, 0 to less than 1.
    """

    uses_teacher: ClassVar[bool] = True

    name: Literal["consistency"] = "consistency"
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.95

    def loss(self, batch: Batch, prepared: Any) -> Tensor:
        confidence, labels = functional.softmax(batch.teacher(), dim=1).max(dim=1)
        losses = functional.cross_entropy(batch.target_logits.float(), labels, reduction="none")
        return (losses * (confidence > self.threshold)).mean()
