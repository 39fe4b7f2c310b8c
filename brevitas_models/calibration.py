"""Setting what a network learns from images without gradients: quantiser scales and batch-norm statistics."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from brevitas.core.scaling.standalone import ParameterFromRuntimeStatsScaling
from torch import Tensor, nn

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.networks import ODENet, float_network

SAMPLES = 8192
"""Values kept of one activation in one batch."""

_PATH = "act_quant.fused_activation_quant_proxy.tensor_quant"

HALVINGS = 8
"""Scales tried below the one at which nothing is clipped."""


def float_state(network: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the entries of `state` (a network's or its twin's) that belong to the float `network`."""
    return {name: state[name] for name in network.state_dict()}


def load_float_weights(network: ODENet, state: dict[str, Tensor]) -> None:
    """Give a quantised network its float twin's weights; its activation scales stay to be calibrated.

    Raises
    ------
    ValueError
        Anything but the activation scales is missing, or something has no place in the network.
    """
    scales = {f"{name}.{_PATH}.scaling_impl.value" for name, _ in _learned_quantisers(network)}
    result = network.load_state_dict(state, strict=False)
    missing = set(result.missing_keys) - scales
    if missing or result.unexpected_keys:
        raise ValueError(f"not the float twin: missing {sorted(missing)}, unexpected {result.unexpected_keys}")


@torch.no_grad()
def calibrate_quantisers(network: ODENet, batches: list[Tensor]) -> None:
    """Start each activation's scale at the power of two with the least squared error on `batches`.

    The values come from the float twin, all uses of a quantiser together, so that the state's range covers every
    iteration. Scales learned so far are lost.

    Parameters
    ----------
    network
        A quantised network.
    batches
        Image values [N, C, H, W], N >= 2.
    """
    quantisers = dict(_learned_quantisers(network))
    twin = float_network(network.config).to(batches[0].device).train()
    twin.load_state_dict(float_state(twin, network.state_dict()))
    values: dict[str, list[Tensor]] = defaultdict(list)

    def record(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            # A copy: a view would keep the whole output in memory.
            values[name].append(output.flatten()[:: max(1, output.numel() // SAMPLES)].clone())

        return hook

    for name, module in twin.named_modules():
        if name in quantisers:
            module.register_forward_hook(record(name))
    for batch in batches:
        twin(batch)
    for name, tensor_quant in quantisers.items():
        bits = tensor_quant.msb_clamp_bit_width_impl()
        low, high = (float(bound(bits)) for bound in (tensor_quant.int_quant.min_int, tensor_quant.int_quant.max_int))
        exponent = best_exponent(torch.cat(values[name]), low, high)
        # The scale is 2^ceil(value) / divisor: start in the middle between two scales, not on the edge.
        divisor = float(torch.log2(tensor_quant.int_scaling_impl(bits)))
        scaling = tensor_quant.scaling_impl
        scaling.init_scale()
        scaling.value.fill_(exponent + divisor - 0.5)


def best_exponent(values: Tensor, low: float, high: float) -> int:
    """Return the e for which rounding `values` to codes low..high times 2^e has the least mean square error."""
    largest = max(float(values.max()) / high, float(values.min()) / low if low else 0.0, 2.0**-24)
    top = int(torch.tensor(largest).log2().ceil())
    candidates = list(range(top, top - HALVINGS, -1))
    errors = [
        float((torch.round(values / 2.0**e).clamp(low, high) * 2.0**e - values).square().mean()) for e in candidates
    ]
    return candidates[errors.index(min(errors))]


@torch.no_grad()
def estimate_statistics(network: ODENet, batches: list[Tensor]) -> None:
    """Make the batch-norms' running statistics those of all images of `batches` together; nothing else changes.

    Every image counts the same, whatever the size of its batch, which is only what it is normalised with on the way.

    With images of the target domain this adapts the network to it without labels (Li et al., "Revisiting batch
    normalization for practical domain adaptation", 2016). Leaves the network in eval mode.
    """
    network.eval()
    norms = [module for module in network.modules() if isinstance(module, FieldBatchNorm)]
    for norm in norms:
        norm.train()
        norm.start_pooling()
    for batch in batches:
        network(batch)
    for norm in norms:
        norm.end_pooling()
    network.eval()


def _learned_quantisers(network: ODENet) -> list[tuple[str, Any]]:
    """Return (module name, Brevitas tensor quantiser) of each activation whose scale is learned."""
    found = []
    for name, module in network.named_modules():
        proxy = getattr(getattr(module, "act_quant", None), "fused_activation_quant_proxy", None)
        if proxy is not None and isinstance(proxy.tensor_quant.scaling_impl, ParameterFromRuntimeStatsScaling):
            found.append((name, proxy.tensor_quant))
    return found
