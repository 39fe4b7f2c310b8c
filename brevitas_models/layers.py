"""Where quantised networks and their float twins differ: one factory each, with the same names and parameters."""

from __future__ import annotations

from typing import Protocol

from torch import nn

from brevitas_models import quantisers
from brevitas_models.config import NetworkConfig


class Layers(Protocol):
    """Makes the layers of a network; convolutions are bias-free and padded by kernel // 2."""

    def input(self) -> nn.Module: ...
    def conv(self, cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module: ...
    def first_conv(self, cin: int, cout: int, kernel: int) -> nn.Module: ...
    def classifier(self, features: int, classes: int) -> nn.Module: ...
    def relu(self) -> nn.Module: ...
    def state(self) -> nn.Module: ...
    def increment(self) -> nn.Module: ...
    def pooled(self) -> nn.Module: ...


class QuantLayers:
    """Brevitas layers with the bit widths of a config."""

    def __init__(self, config: NetworkConfig) -> None:
        self.config = config

    def input(self) -> nn.Module:
        return quantisers.quant_input()

    def conv(self, cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
        return quantisers.quant_conv(cin, cout, kernel, self.config.weight_bits, stride, groups)

    def first_conv(self, cin: int, cout: int, kernel: int) -> nn.Module:
        return quantisers.quant_conv(cin, cout, kernel, quantisers.EDGE_WEIGHT_BITS)

    def classifier(self, features: int, classes: int) -> nn.Module:
        return quantisers.quant_linear(features, classes, quantisers.EDGE_WEIGHT_BITS)

    def relu(self) -> nn.Module:
        return quantisers.quant_relu(self.config.activation_bits)

    def state(self) -> nn.Module:
        return quantisers.quant_signed(self.config.state_bits)

    def increment(self) -> nn.Module:
        return quantisers.quant_signed(self.config.increment_bits)

    def pooled(self) -> nn.Module:
        return quantisers.quant_unsigned(quantisers.INPUT_BITS)


class FloatLayers:
    """Plain torch layers: the float twin."""

    def input(self) -> nn.Module:
        return nn.Identity()

    def conv(self, cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
        return nn.Conv2d(cin, cout, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)

    def first_conv(self, cin: int, cout: int, kernel: int) -> nn.Module:
        return self.conv(cin, cout, kernel)

    def classifier(self, features: int, classes: int) -> nn.Module:
        return nn.Linear(features, classes, bias=False)

    def relu(self) -> nn.Module:
        return nn.ReLU()

    def state(self) -> nn.Module:
        return nn.Identity()

    def increment(self) -> nn.Module:
        return nn.Identity()

    def pooled(self) -> nn.Module:
        return nn.Identity()
