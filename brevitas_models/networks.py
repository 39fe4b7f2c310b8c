"""ODENet and dsODENet: stem, ODE blocks with stride-2 layers between them, pooled classifier."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.config import NetworkConfig
from brevitas_models.layers import FloatLayers, Layers, QuantLayers
from brevitas_models.ode_block import ODEBlock


class GlobalSumPool(nn.Module):
    """Sum of [N, C, H, W] over H and W, times 2^-ceil(log2(H·W)): [N, C].

    A mean up to a constant factor between 1/2 and 1, exact in binary arithmetic.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.pixels = size[0] * size[1]
        self.factor = 2.0 ** -(self.pixels - 1).bit_length()

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(dim=(2, 3)) * self.factor


class Stem(nn.Module):
    """First layer: quantised image, 3x3 convolution, batch-norm. The first block's state quantiser follows it."""

    def __init__(self, layers: Layers, in_channels: int, channels: int) -> None:
        super().__init__()
        self.input = layers.input()
        self.convolution = layers.first_conv(in_channels, channels, 3)
        self.norm = FieldBatchNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolution(self.input(x))
        if (
            self.training
        ):  # Processors normalise and convolve this layout almost twice as fast; all that follows keeps it.
            x = x.contiguous(memory_format=torch.channels_last)
        return self.norm(x)


class StrideTwo(nn.Module):
    """Between two blocks: activation, then a stride-2 convolution (dense, or depthwise and pointwise), batch-norm."""

    def __init__(self, config: NetworkConfig, layers: Layers, cin: int, cout: int) -> None:
        super().__init__()
        self.activation = layers.relu()
        if config.convolution == "dense":
            self.convolutions = nn.ModuleList([layers.conv(cin, cout, 3, stride=2)])
            self.norms = nn.ModuleList([FieldBatchNorm(cout)])
            self.activations = nn.ModuleList([nn.Identity()])
        else:
            self.convolutions = nn.ModuleList(
                [layers.conv(cin, cin, 3, stride=2, groups=cin), layers.conv(cin, cout, 1)]
            )
            self.norms = nn.ModuleList([FieldBatchNorm(cin), FieldBatchNorm(cout)])
            self.activations = nn.ModuleList([layers.relu(), nn.Identity()])

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(x)
        for convolution, norm, activation in zip(self.convolutions, self.norms, self.activations, strict=True):
            x = activation(norm(convolution(x)))
        return x


class ODENet(nn.Module):
    """The whole network: images [N, in_channels, H, W] with values code · 2^-8 in, logits [N, num_classes] out.

    `features` returns what the classifier sees, [N, channels[-1]]: domain adaptation aligns these.
    """

    def __init__(self, config: NetworkConfig, layers: Layers) -> None:
        super().__init__()
        self.config = config
        self.stem = Stem(layers, config.in_channels, config.channels[0])
        self.blocks = nn.ModuleList(
            ODEBlock(config, layers, channels, iterations)
            for channels, iterations in zip(config.channels, config.iterations, strict=True)
        )
        self.strides = nn.ModuleList(
            StrideTwo(config, layers, cin, cout)
            for cin, cout in zip(config.channels[:-1], config.channels[1:], strict=True)
        )
        self.activation = layers.relu()
        self.pool = GlobalSumPool(config.feature_map_sizes()[-1])
        self.pooled = layers.pooled()
        self.classifier = layers.classifier(config.channels[-1], config.num_classes)

    @property
    def ode_blocks(self) -> list[ODEBlock]:
        """The ODE blocks, in order."""
        return [block for block in self.blocks if isinstance(block, ODEBlock)]

    def features(self, x: Tensor) -> Tensor:
        x = self.blocks[0](self.stem(x))
        for stride, block in zip(self.strides, self.blocks[1:], strict=True):
            x = block(stride(x))
        return self.pooled(self.pool(self.activation(x)))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def quantized_network(config: NetworkConfig) -> ODENet:
    """Return the Brevitas network of `config`, untrained."""
    return ODENet(config, QuantLayers(config))


def float_network(config: NetworkConfig) -> ODENet:
    """Return the float twin of `config`: same layers and parameter names, no quantisation."""
    return ODENet(config, FloatLayers())
