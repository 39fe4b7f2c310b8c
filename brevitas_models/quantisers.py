"""Every quantiser of the networks, with power-of-two scales, zero-point 0 and rounding half to even.

Power-of-two scales make each product and sum of the quantised network exact in float32, so that the float golden
models and the integer hardware can be compared without a tolerance.
"""

from __future__ import annotations

from brevitas.inject.enum import RestrictValueType, ScalingImplType
from brevitas.nn import QuantIdentity, QuantLinear, QuantReLU
from brevitas.quant.fixed_point import (
    Int8ActPerTensorFixedPoint,
    Int8WeightPerChannelFixedPoint,
    Int8WeightPerTensorFixedPoint,
    Uint8ActPerTensorFixedPoint,
)

from brevitas_models.fused_quant import FusedIntQuant
from brevitas_models.held_quant import HeldScaleIntQuant, SharedWeightConv2d

EDGE_WEIGHT_BITS = 8
"""Weights of the first and the last layer."""

INPUT_BITS = 8
"""The input is an unsigned 8-bit code x_int with value x_int · 2^-8."""


class ActivationQuantizer(Uint8ActPerTensorFixedPoint):
    """Unsigned, per tensor; scale learned, started at the 99.9th percentile of the first batches."""

    tensor_quant = HeldScaleIntQuant
    int_quant = FusedIntQuant
    high_percentile_q = 99.9
    collect_stats_steps = 60


class SignedQuantizer(Int8ActPerTensorFixedPoint):
    """Signed, per tensor: the state and the increment."""

    tensor_quant = HeldScaleIntQuant
    int_quant = FusedIntQuant
    high_percentile_q = 99.9
    collect_stats_steps = 60


class InputQuantizer(Uint8ActPerTensorFixedPoint):
    """Unsigned 8-bit with the constant scale 2^-8, exact for 8-bit images."""

    int_quant = FusedIntQuant
    scaling_impl_type = ScalingImplType.CONST
    restrict_scaling_type = RestrictValueType.POWER_OF_TWO
    bit_width = INPUT_BITS
    min_val = 0.0
    max_val = (2**INPUT_BITS - 1) / 2**INPUT_BITS


def quant_conv(
    in_channels: int, out_channels: int, kernel: int, weight_bits: int, stride: int = 1, groups: int = 1
) -> SharedWeightConv2d:
    """Return a convolution without bias, padded by kernel // 2, with narrow-range weights scaled per output channel."""
    return SharedWeightConv2d(
        in_channels,
        out_channels,
        kernel,
        stride=stride,
        padding=kernel // 2,
        groups=groups,
        bias=False,
        weight_quant=Int8WeightPerChannelFixedPoint,
        weight_bit_width=weight_bits,
    )


def quant_linear(in_features: int, out_features: int, weight_bits: int) -> QuantLinear:
    """Return a linear layer without bias whose weights have one scale, so that its logits compare as integers."""
    return QuantLinear(
        in_features,
        out_features,
        bias=False,
        weight_quant=Int8WeightPerTensorFixedPoint,
        weight_bit_width=weight_bits,
    )


def quant_relu(bits: int) -> QuantReLU:
    """ReLU followed by unsigned quantisation."""
    return QuantReLU(act_quant=ActivationQuantizer, bit_width=bits, return_quant_tensor=False)


def quant_signed(bits: int) -> QuantIdentity:
    """Signed quantisation of the state or of the increment (plain tensors, because residual adds follow)."""
    return QuantIdentity(act_quant=SignedQuantizer, bit_width=bits, return_quant_tensor=False)


def quant_unsigned(bits: int) -> QuantIdentity:
    """Unsigned quantisation of a tensor that is already non-negative."""
    return QuantIdentity(act_quant=ActivationQuantizer, bit_width=bits, return_quant_tensor=False)


def quant_input() -> QuantIdentity:
    """Quantisation of the input image: the identity on 8-bit codes times 2^-8."""
    return QuantIdentity(act_quant=InputQuantizer, return_quant_tensor=False)
