"""The interface of a domain-adaptation loss, and the rules that its options follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from brevitas_models.networks import ODENet


@dataclass(frozen=True)
class Batch:
    """What a loss may look at in one training step; labels of the target domain are not among it.

    Parameters
    ----------
    source_features, target_features
        What the classifier sees, [N, C].
    source_logits, target_logits
        [N, classes].
    source_labels
        int64 [N].
    target_indices
        int64 [N], which of the target's training images these are.
    teacher_logits
        [N, classes] for the same target images without augmentation, by the moving average of the network's weights;
        None when no loss of the training uses a teacher.
    """

    source_features: Tensor
    source_logits: Tensor
    source_labels: Tensor
    target_features: Tensor
    target_logits: Tensor
    target_indices: Tensor
    teacher_logits: Tensor | None = None

    def teacher(self) -> Tensor:
        """Return the teacher's logits, float32, for a loss with `uses_teacher`."""
        if self.teacher_logits is None:
            raise ValueError("the batch of a loss with `uses_teacher` must have `teacher_logits`")
        return self.teacher_logits.float()


class AdaptationLoss(BaseModel):
    """A loss that draws the target domain to the source domain; its fields are its options in a training config.

    A subclass has a field `name` of a literal type and is listed in `brevitas_models.adaptation.LOSSES`. It keeps no
    state of its own: what it needs to know about the whole target set comes from `prepare`, once per epoch, as a
    function of the network alone, so that a resumed training repeats it exactly.

    Parameters
    ----------
    weight
        Factor of this loss beside the source's cross-entropy.

    Attributes
    ----------
    uses_teacher
        Whether `Batch.teacher_logits` must be there; the training keeps a teacher if any loss uses it.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    uses_teacher: ClassVar[bool] = False

    name: str
    weight: Annotated[float, Field(gt=0)] = 1.0

    def prepare(self, network: ODENet, target_images: Tensor) -> Any:
        """Look at all target images (uint8 [N, C, H, W]) before an epoch; the result is handed to `loss`.

        The network is in eval mode with batch-norm statistics of the target domain.
        """
        return None

    def loss(self, batch: Batch, prepared: Any) -> Tensor:
        """Return the loss of one step, a scalar, before `weight`."""
        raise NotImplementedError
