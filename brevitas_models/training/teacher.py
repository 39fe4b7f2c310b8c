"""The teacher of an adapted phase: the moving average of the network's weights, evaluated in float."""

from __future__ import annotations

import torch
from torch import Tensor

from brevitas_models.calibration import float_state
from brevitas_models.networks import ODENet, float_network


class Teacher:
    """A float network whose parameters follow those of a student; it starts as the student is.

    In a quantised phase the teacher stays the float twin, so that the student learns from predictions that have not
    lost anything to quantisation. Images are normalised by the statistics of their own batch, as the student's are.

    Source: Tarvainen & Valpola, "Mean teachers are better role models", 2017, equation 2.

    Parameters
    ----------
    student
        The network in training, float or quantised.
    momentum
        Share of the teacher that stays in each step, 0 to 1.
    """

    def __init__(self, student: ODENet, momentum: float) -> None:
        self.momentum = momentum
        device = next(student.parameters()).device
        self.network = float_network(student.config).to(device).train().requires_grad_(False)
        self.network.load_state_dict(float_state(self.network, student.state_dict()))

    @torch.no_grad()
    def follow(self, student: ODENet) -> None:
        """Move every parameter towards the student's: `teacher = momentum · teacher + (1 - momentum) · student`."""
        parameters = dict(student.named_parameters())
        for name, average in self.network.named_parameters():
            average.lerp_(parameters[name], 1 - self.momentum)

    @torch.no_grad()
    def logits(self, images: Tensor) -> Tensor:
        """Logits [N, classes] of image values [N, C, H, W], N >= 2."""
        logits: Tensor = self.network(images)
        return logits
