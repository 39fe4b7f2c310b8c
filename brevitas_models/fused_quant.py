"""Integer quantisation of an activation as one differentiable operation, several times faster than step by step."""

from __future__ import annotations

from typing import Any

import torch
from brevitas.core.quant import IntQuant
from torch import Tensor


class _QuantiseFunction(torch.autograd.Function):
    """`clip(round_half_even(x / scale), low, high) · scale`, straight through the rounding.

    The gradient reaches x only where nothing was clipped; the scale's is the one of the learned step size (Esser et
    al., "Learned step size quantization", 2020), as automatic differentiation of the same formula gives it.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, low: float, high: float) -> Tensor:
        rounded = torch.div(x, scale).round_()
        codes = rounded.clamp(low, high)
        inside = rounded.eq_(codes)
        y = codes.mul_(scale)
        ctx.save_for_backward(x, scale, inside, y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, scale, inside, y = ctx.saved_tensors
        gradient = gradients[0]
        passed = gradient * inside
        slope = _dot(gradient, y) - _dot(passed, x)
        return passed, (slope / scale).reshape(scale.shape), None, None


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Sum of the products of two tensors of one shape, without copying images that are stored channels last."""
    if a.dim() == 4 and a.is_contiguous(memory_format=torch.channels_last):
        a, b = a.permute(0, 2, 3, 1), b.permute(0, 2, 3, 1)
    return torch.dot(a.reshape(-1), b.reshape(-1))


class FusedIntQuant(IntQuant):
    """Brevitas's `IntQuant` for one scale per tensor and zero-point 0: same values, same gradients."""

    def forward(self, scale: Tensor, zero_point: Tensor, bit_width: Tensor, x: Tensor) -> Tensor:
        return _QuantiseFunction.apply(x, scale, float(self.min_int(bit_width)), float(self.max_int(bit_width)))
