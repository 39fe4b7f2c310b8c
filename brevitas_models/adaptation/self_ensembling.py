"""Self-ensembling: the network's predictions follow those of a teacher that is the moving average of its weights."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional

from brevitas_models.adaptation.base import AdaptationLoss, Batch


class SelfEnsembling(AdaptationLoss):
    """Squared difference between student's and teacher's probabilities of target images of which the teacher is sure.

    `mean over images of [p_max > threshold] · Σ_classes (p_student - p_teacher)²`; an image of which the teacher is
    not sure counts as zero, so that the loss starts small.

    Source: French, Mackiewicz & Fisher, "Self-ensembling for visual domain adaptation", 2018, section 3.

    Parameters
    ----------
    threshold
        The least probability of the teacher's first class, 0 to less than 1.
    """

    uses_teacher: ClassVar[bool] = True

    name: Literal["self_ensembling"] = "self_ensembling"
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.968

    def loss(self, batch: Batch, prepared: Any) -> Tensor:
        teacher = functional.softmax(batch.teacher(), dim=1)
        student = functional.softmax(batch.target_logits.float(), dim=1)
        sure = teacher.amax(dim=1) > self.threshold
        return ((student - teacher).square().sum(dim=1) * sure).mean()
