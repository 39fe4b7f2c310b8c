"""Distillation: a larger float network, adapted before, teaches what it thinks of the target's images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from brevitas_models.adaptation.base import AdaptationLoss, Batch
from brevitas_models.adaptation.pseudo_labels import CHUNK
from brevitas_models.float_checkpoint import load_float_network
from brevitas_models.networks import ODENet
from finn_flow.errors import UserError


class Distillation(AdaptationLoss):
    """`T² · KL(teacher ‖ student)` of the probabilities at temperature T, on target images.

    The teacher sees each image plain and once per epoch, the student distorted as in the rest of the training.

    Source: Hinton, Vinyals & Dean, "Distilling the knowledge in a neural network", 2015, section 2.

    Parameters
    ----------
    teacher
        Folder of a finished training, whose float network (`float.pt`) teaches; the same image size, input channels and
        number of classes.
    temperature
        T, more than 0.
    """

    name: Literal["distillation"] = "distillation"
    teacher: str
    temperature: Annotated[float, Field(gt=0)] = 2.0

    def prepare(self, network: ODENet, target_images: Tensor) -> Tensor:
        """Return the teacher's logits, float32 [N, classes]."""
        teacher = load_float_network(Path(self.teacher)).to(target_images.device)
        for key in ("image_size", "in_channels", "num_classes"):
            theirs, ours = getattr(teacher.config, key), getattr(network.config, key)
            if theirs != ours:
                raise UserError(f"{self.teacher}: the teacher's `{key}` must be {ours} as the network's, not {theirs}")
        return torch.cat([teacher(images.float() * 2.0**-8) for images in target_images.split(CHUNK)])

    def loss(self, batch: Batch, prepared: Any) -> Tensor:
        teacher = functional.log_softmax(prepared[batch.target_indices] / self.temperature, dim=1)
        student = functional.log_softmax(batch.target_logits.float() / self.temperature, dim=1)
        divergence = functional.kl_div(student, teacher, reduction="batchmean", log_target=True)
        return self.temperature**2 * divergence
