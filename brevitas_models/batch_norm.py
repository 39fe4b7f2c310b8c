"""Batch normalisation of a vector field: statistics per iteration, a bias linear in time, a solver's weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from brevitas_models.moments import PooledMoments


class FieldBatchNorm(nn.Module):
    """Compute `batch_norm_i(x) + time_bias · t_i`, where i counts the uses of the module per frame.

    In eval mode this is one multiplication and one addition per element with constants per iteration and channel, the
    form in which it is exported and in which thresholds absorb it.

    Parameters
    ----------
    channels
        Number of channels C of the input [N, C, H, W].
    times
        The time t_i of each use; a single 0 outside ODE blocks.
    per_iteration
        Keep running statistics for each use instead of one set for all.
    time_bias
        Add the learned bias, linear in t.
    """

    eps = 1e-5
    momentum = 0.1
    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self,
        channels: int,
        times: Sequence[float] = (0.0,),
        per_iteration: bool = False,
        time_bias: bool = False,
    ) -> None:
        super().__init__()
        self.times = tuple(times)
        self.gains: tuple[tuple[float, ...], ...] = ((1.0,) * len(self.times),)
        self.statistics = len(self.times) if per_iteration else 1
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.time_bias = nn.Parameter(torch.zeros(channels)) if time_bias else None
        self.register_buffer("running_mean", torch.zeros(self.statistics, channels))
        self.register_buffer("running_var", torch.ones(self.statistics, channels))
        self._pooled: list[PooledMoments] | None = None
        self._frozen = False

    def start_pooling(self) -> None:
        """From now on the running statistics are those of all values seen in training mode, as if of one batch."""
        self.running_mean.zero_()
        self.running_var.fill_(1.0)
        channels, device = self.running_mean.shape[1], self.running_mean.device
        self._pooled = [PooledMoments(channels, device) for _ in range(self.statistics)]

    def end_pooling(self) -> None:
        """Go back to running statistics with `momentum`."""
        self._pooled = None

    def affine(self, iteration: int, output: int = 0) -> tuple[Tensor, Tensor]:
        """Factor and offset, both [1, C, 1, 1], that the module applies in eval mode in `iteration`."""
        if self._frozen:
            return self.get_buffer(f"factor_{output}_{iteration}"), self.get_buffer(f"offset_{output}_{iteration}")
        index = iteration % self.statistics
        factor = self.weight * torch.rsqrt(self.running_var[index] + self.eps)
        offset = self.bias - self.running_mean[index] * factor
        if self.time_bias is not None:
            offset = offset + self.time_bias * self.times[iteration]
        gain = self.gains[output][iteration]
        return (factor * gain).reshape(1, -1, 1, 1), (offset * gain).reshape(1, -1, 1, 1)

    def freeze(self) -> None:
        """Turn the eval-mode constants into buffers, as an exporter needs them; training is over after this."""
        for output in range(len(self.gains)):
            for iteration in range(len(self.times)):
                factor, offset = self.affine(iteration, output)
                self.register_buffer(f"factor_{output}_{iteration}", factor.detach().clone())
                self.register_buffer(f"offset_{output}_{iteration}", offset.detach().clone())
        self._frozen = True

    def forward(self, x: Tensor, iteration: int = 0) -> Any:
        return self._outputs(x, iteration)[0]

    def _outputs(self, x: Tensor, iteration: int) -> list[Tensor]:
        if not self.training:
            affine = [self.affine(iteration, output) for output in range(len(self.gains))]
            return [x * factor + offset for factor, offset in affine]
        y = self._normalise(x, iteration % self.statistics)
        if self.time_bias is not None:
            y = y + (self.time_bias * self.times[iteration]).reshape(1, -1, 1, 1)
        return [y * gains[iteration] if gains[iteration] != 1.0 else y for gains in self.gains]

    def _normalise(self, x: Tensor, index: int) -> Tensor:
        """Batch normalisation by the batch's own statistics, which are noted in the running statistics `index`."""
        mean, variance = self.running_mean[index], self.running_var[index]
        # With momentum 1 the running statistics become the batch's own.
        momentum = self.momentum if self._pooled is None else 1.0
        y = functional.batch_norm(
            x, mean, variance, self.weight, self.bias, training=True, momentum=momentum, eps=self.eps
        )
        if self._pooled is not None:
            pooled = self._pooled[index]
            pooled.add(mean, variance, x.numel() // x.shape[1])
            mean.copy_(pooled.mean)
            variance.copy_(pooled.variance)
        return y


class IncrementBatchNorm(FieldBatchNorm):
    """The last batch-norm of a vector field: its result times a constant for each use that a solver makes of it.

    Parameters
    ----------
    gains
        For each use, the constant of each evaluation: step size times the solver's weight.
    """

    def __init__(
        self,
        channels: int,
        times: Sequence[float],
        gains: Sequence[Sequence[float]],
        per_iteration: bool = False,
        time_bias: bool = False,
    ) -> None:
        super().__init__(channels, times, per_iteration, time_bias)
        self.gains = tuple(tuple(row) for row in gains)

    def forward(self, x: Tensor, iteration: int = 0) -> list[Tensor]:
        return self._outputs(x, iteration)
