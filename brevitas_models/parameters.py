"""Counting parameters: ODENet against dsODENet, and what the weights take on chip."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from torch import nn

from brevitas_models.config import NetworkConfig
from brevitas_models.networks import ODENet, quantized_network
from brevitas_models.quantisers import EDGE_WEIGHT_BITS

PAPER_REDUCTION_PERCENT = (54.2, 79.8)
"""What the dsODENet paper reports, first and last layers left out."""


@dataclass(frozen=True)
class ParameterCount:
    """Parameters of one network.

    Parameters
    ----------
    total
        Everything that is learned, but for the quantisers' scales.
    middle
        The same without the first layer (convolution and batch-norm) and without the classifier.
    weight_bits, middle_weight_bits
        Bits of the quantised weights of convolutions and classifier.
    """

    total: int
    middle: int
    weight_bits: int
    middle_weight_bits: int


@dataclass(frozen=True)
class Comparison:
    """The same network with dense and with depthwise-separable convolutions."""

    name: str
    odenet: ParameterCount
    dsodenet: ParameterCount

    def reduction_percent(self, part: str) -> float:
        """By how much dsODENet's `part` (a field of `ParameterCount`) is smaller than ODENet's."""
        return 100 * (1 - getattr(self.dsodenet, part) / getattr(self.odenet, part))

    def to_json(self) -> dict[str, object]:
        """Return counts and reductions as plain values."""
        parts = list(asdict(self.odenet))
        return {
            "name": self.name,
            "odenet": asdict(self.odenet),
            "dsodenet": asdict(self.dsodenet),
            "reduction_percent": {part: round(self.reduction_percent(part), 1) for part in parts},
        }


def count_parameters(config: NetworkConfig) -> ParameterCount:
    """Count the parameters of one network."""
    network = quantized_network(config)
    edges = (network.stem, network.classifier)
    total, at_edges = _learned(network), sum(_learned(edge) for edge in edges)
    names = ("stem.convolution.weight", "classifier.weight")
    edge_weights = sum(network.get_parameter(name).numel() for name in names)
    middle_weights = sum(weight.numel() for weight in _weights(network)) - edge_weights
    middle_bits = middle_weights * config.weight_bits
    return ParameterCount(total, total - at_edges, middle_bits + edge_weights * EDGE_WEIGHT_BITS, middle_bits)


def compare(name: str, config: NetworkConfig) -> Comparison:
    """Count `config` with both kinds of convolution."""
    dense, separable = (
        count_parameters(config.model_copy(update={"convolution": convolution}))
        for convolution in ("dense", "depthwise_separable")
    )
    return Comparison(name, dense, separable)


def _learned(module: nn.Module) -> int:
    return sum(value.numel() for name, value in module.named_parameters() if not name.endswith("scaling_impl.value"))


def _weights(network: ODENet) -> list[nn.Parameter]:
    return [
        module.weight
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and isinstance(module.weight, nn.Parameter)
    ]
