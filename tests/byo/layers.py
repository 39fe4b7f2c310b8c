"""Parts of networks in plain Brevitas, as users write them: nothing of `brevitas_models` is used."""

from __future__ import annotations

from collections.abc import Callable

import brevitas.nn as qnn
import torch
from brevitas.quant.fixed_point import Int8ActPerTensorFixedPoint, Uint8ActPerTensorFixedPoint
from torch import Tensor, nn

CHANNELS = 4
CLASSES = 5
STEPS = 2


class EightBitImage(Uint8ActPerTensorFixedPoint):
    """Unsigned 8-bit codes of 1/256."""

    scaling_impl_type = "const"
    min_val = 0.0
    max_val = 255 / 256


def conv(inputs: int, outputs: int, kernel: int | tuple[int, int] = 3, bits: int = 4, **options: object) -> nn.Module:
    """Return a convolution without bias that keeps the size of the map."""
    options = {"bias": False, "padding": kernel // 2 if isinstance(kernel, int) else 0, **options}
    return qnn.QuantConv2d(inputs, outputs, kernel, weight_bit_width=bits, **options)


def relu(bits: int = 4, **options: object) -> nn.Module:
    """Return a ReLU with Brevitas's default quantiser."""
    return qnn.QuantReLU(bit_width=bits, **options)


def quantiser(bits: int = 8, **options: object) -> nn.Module:
    """Return Brevitas's default signed quantiser: one scale, any float."""
    return qnn.QuantIdentity(bit_width=bits, **options)


def fixed_point() -> nn.Module:
    """Return Brevitas's signed quantiser whose scale is a power of two."""
    return qnn.QuantIdentity(act_quant=Int8ActPerTensorFixedPoint)


def separable_field(channels: int = CHANNELS, **options: object) -> nn.Sequential:
    """Return ReLU, depthwise convolution, batch-norm, ReLU, pointwise convolution, batch-norm."""
    return nn.Sequential(
        relu(),
        conv(channels, channels, groups=channels, **options),
        nn.BatchNorm2d(channels),
        relu(),
        conv(channels, channels, 1, **options),
        nn.BatchNorm2d(channels),
    )


class Euler(nn.Module):
    """z = q(z + h·i(f(z))) for every step, with one state quantiser q; the increment's quantiser i is q by default."""

    def __init__(
        self,
        field: nn.Module,
        steps: int = STEPS,
        state: nn.Module | None = None,
        increment: nn.Module | None = None,
        step_size: float = 1.0,
    ) -> None:
        super().__init__()
        self.field, self.steps, self.step_size = field, steps, step_size
        self.state = state or quantiser()
        self.increment = increment or self.state

    def forward(self, z: Tensor) -> Tensor:
        z = self.state(z)
        for _ in range(self.steps):
            increment = self.increment(self.field(z))
            z = self.state(z + (increment if self.step_size == 1.0 else self.step_size * increment))
        return z


class Midpoint(Euler):
    """z = q(z + i(f(q(z + i(f(z)) / 2))))."""

    def forward(self, z: Tensor) -> Tensor:
        z = self.state(z)
        for _ in range(self.steps):
            half = self.state(z + self.increment(self.field(z)) / 2)
            z = self.state(z + self.increment(self.field(half)))
        return z


class Heun(Euler):
    """z = q(z + (k1 + k2) / 2), with k1 = i(f(z)) and k2 = i(f(q(z + k1)))."""

    def forward(self, z: Tensor) -> Tensor:
        z = self.state(z)
        for _ in range(self.steps):
            first = self.increment(self.field(z))
            second = self.increment(self.field(self.state(z + first)))
            z = self.state(z + self.increment((first + second) / 2))
        return z


class RK4(Euler):
    """z = q(z + (k1 + 2 k2 + 2 k3 + k4) / 6), with k4 = i(f(q(z + k3))) and so on."""

    def forward(self, z: Tensor) -> Tensor:
        z = self.state(z)
        for _ in range(self.steps):
            k1 = self.increment(self.field(z))
            k2 = self.increment(self.field(self.state(z + k1 / 2)))
            k3 = self.increment(self.field(self.state(z + k2 / 2)))
            k4 = self.increment(self.field(self.state(z + k3)))
            z = self.state(z + (k1 + 2 * k2 + 2 * k3 + k4) / 6)
        return z


class Head(nn.Module):
    """ReLU, mean over the map, quantiser, linear layer."""

    def __init__(self, channels: int = CHANNELS, classes: int = CLASSES, **options: object) -> None:
        super().__init__()
        options = {"bias": False, **options}
        self.relu, self.quantiser = relu(), quantiser()
        self.linear = qnn.QuantLinear(channels, classes, weight_bit_width=8, **options)

    def pool(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.quantiser(self.pool(self.relu(x))))


def stem(image: nn.Module | None = None, channels: int = CHANNELS) -> nn.Sequential:
    """Return image quantiser, 3x3 convolution with stride 2, batch-norm."""
    image = image or qnn.QuantIdentity(act_quant=EightBitImage)
    return nn.Sequential(image, conv(1, channels, bits=8, stride=2), nn.BatchNorm2d(channels))


def network(
    block: nn.Module | None = None, head: nn.Module | None = None, first: nn.Module | None = None
) -> nn.Sequential:
    """Return stem, ODE block, head."""
    return nn.Sequential(first or stem(), block or Euler(separable_field()), head or Head())


def negate_gains(module: nn.Module) -> None:
    """Make every second gain of every batch-norm negative, as training may."""
    with torch.no_grad():
        for norm in module.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.weight[::2] *= -1


Build = Callable[[], nn.Module]
