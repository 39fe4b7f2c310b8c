"""What a network needs so that its float32 arithmetic is exact: finite parameters, and accumulators below a bound."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.config import NetworkConfig
from brevitas_models.networks import ODENet
from brevitas_models.ode_block import ODEBlock, VectorField
from brevitas_models.quantisers import INPUT_BITS
from finn_flow.errors import FlowError, UserError

EXACT_BELOW = 2**24
"""Integers up to this size, and so all sums of codes that stay below it, are exact in float32."""


def check_finite_state(state: Mapping[str, Tensor], where: str) -> None:
    """Make sure that a state dict holds numbers only.

    Raises
    ------
    UserError
        It does not; it names `where`, the first parameter with NaN or infinite values, and how many it has.
    """
    for name, value in state.items():
        wrong = int((~torch.isfinite(value)).sum())
        if wrong:
            raise UserError(f"{where}: `{name}` has NaN or infinite values, {wrong} of {value.numel()}; train it again")


def check_finite(network: ODENet) -> None:
    """Make sure that the parameters of `network`, and what its batch-norms make of them, are finite.

    Raises
    ------
    UserError
        As `check_finite_state`; a negative variance counts as such a parameter.
    """
    check_finite_state({**dict(network.named_parameters()), **dict(network.named_buffers())}, "the network")
    for name, norm in network.named_modules():
        if isinstance(norm, FieldBatchNorm):
            for output, use in product(range(len(norm.gains)), range(len(norm.times))):
                constants = zip((f"{name}, factor", f"{name}, offset"), norm.affine(use, output), strict=True)
                check_finite_state(dict(constants), "the network")


def accumulator_bounds(network: ODENet) -> dict[str, int]:
    """Largest possible magnitude of each accumulator, in units of its least significant bit, by layer name.

    Of a convolution or the classifier: the largest input code times the L1 norm of the weight codes of one output
    channel. Of the pool: the number of pixels times the largest code. Of a state update: both addends at the finer of
    their scales.
    """
    config = network.config
    codes = 2**config.activation_bits - 1
    bounds = {"stem.convolution": _largest_l1(network.stem.convolution) * (2**INPUT_BITS - 1)}
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d) and name not in bounds:
            bounds[name] = _largest_l1(layer) * codes
    bounds["pool"] = network.pool.pixels * codes
    bounds["classifier"] = _largest_l1(network.classifier) * (2**INPUT_BITS - 1)
    for index, block in enumerate(network.ode_blocks):
        bounds[f"blocks.{index}.state"] = max(_update_bound(config, block, field) for field in block.fields)
    return bounds


def check_exact(network: ODENet) -> None:
    """Make sure that no accumulator of `network` can leave the integers that float32 represents.

    Raises
    ------
    FlowError
        One can; it names the layer and both figures.
    """
    for name, bound in accumulator_bounds(network).items():
        if bound >= EXACT_BELOW:
            raise FlowError(
                f"{name}: its accumulator can reach {bound}, but must stay below 2^24 = {EXACT_BELOW} for the float32 "
                "golden model to be exact; use fewer channels or fewer weight or activation bits"
            )


def _update_bound(config: NetworkConfig, block: ODEBlock, field: VectorField) -> int:
    state, increment = _scale(block.state), _scale(field.activations[-1])
    largest = 2 ** (config.state_bits - 1) * state + 2 ** (config.increment_bits - 1) * increment
    return round(largest / min(state, increment))


def _scale(layer: Any) -> float:
    return float(layer.act_quant.scale().detach())


def _largest_l1(layer: Any) -> int:
    with torch.no_grad():
        weight = layer.quant_weight()
        codes: Tensor = (weight.value / weight.scale).round().abs().flatten(1).sum(dim=1)
    return int(codes.max())
