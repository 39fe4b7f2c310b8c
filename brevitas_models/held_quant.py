"""Quantisers that are used many times per frame: what they derive from their parameters is computed once.

Each use of a quantiser in training computes its scale anew from a parameter, some thirty operations on single numbers,
and each use of a shared weight quantises it anew; on small feature maps this is a quarter of the time of a step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from brevitas.core.quant.int import RescalingIntQuant
from brevitas.core.scaling.standalone import ParameterFromRuntimeStatsScaling
from brevitas.nn import QuantConv2d
from torch import Tensor, nn


class SharedWeightConv2d(QuantConv2d):
    """A convolution used many times per frame, whose weights need not be quantised anew each time while training."""

    held_weight: Any = None

    def quant_weight(self, *args: Any, **kwargs: Any) -> Any:
        return super().quant_weight(*args, **kwargs) if self.held_weight is None else self.held_weight


class HeldScaleIntQuant(RescalingIntQuant):
    """Brevitas's quantiser of an activation, whose scale need not be computed anew for each use while training."""

    holding = False
    held: tuple[Tensor, Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if self.held is not None:
            return self.int_quant(*self.held, x), *self.held
        y, scale, zero_point, bit_width = super().forward(x)
        if self.holding:
            self.held = scale, zero_point, bit_width
        return y, scale, zero_point, bit_width

    def has_fixed_scale(self) -> bool:
        """Whether the scale comes from a parameter and not, as in the first steps without calibration, from images."""
        scaling = self.scaling_impl
        return isinstance(scaling, ParameterFromRuntimeStatsScaling) and scaling.counter > scaling.collect_stats_steps


@contextmanager
def hold_quantisers(module: nn.Module) -> Iterator[None]:
    """Within the block, quantise the weights and compute the scales in `module` once each, when training.

    Same values and, as the gradients of all uses add up in the one tensor, the same gradients.
    """
    convolutions = [layer for layer in module.modules() if isinstance(layer, SharedWeightConv2d) and layer.training]
    scales = [layer for layer in module.modules() if isinstance(layer, HeldScaleIntQuant) and layer.training]
    scales = [layer for layer in scales if layer.has_fixed_scale()]
    for convolution in convolutions:
        convolution.held_weight = convolution.quant_weight()
    for quantizer in scales:
        quantizer.holding = True
    try:
        yield
    finally:
        for convolution in convolutions:
            convolution.held_weight = None
        for quantizer in scales:
            quantizer.holding, quantizer.held = False, None
