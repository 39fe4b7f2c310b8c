"""Well-known networks without shared weights, in plain Brevitas; `width` and image size make them small for tests.

`python -m tests.byo.plain [NAME...]` takes them in their full size to the folded hardware graph, and compares.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import brevitas.nn as qnn
import torch
from torch import Tensor, nn

from finn_flow.errors import FlowError, UserError
from tests.byo.layers import Head, conv, quantiser, relu


def tfc(pixels: int = 28 * 28, width: int = 64, bits: int = 2, classes: int = 10) -> nn.Module:
    """Return FINN's TFC: a fully connected network of three hidden layers."""
    layers: list[nn.Module] = [nn.Flatten(), quantiser(bits=8), nn.Dropout(0.2)]
    inputs = pixels
    for _ in range(3):
        layers += [qnn.QuantLinear(inputs, width, bias=False, weight_bit_width=bits), nn.BatchNorm1d(width)]
        layers += [quantiser(bits), nn.Dropout(0.2)]
        inputs = width
    return nn.Sequential(*layers, qnn.QuantLinear(inputs, classes, bias=False, weight_bit_width=bits))


def cnv(
    channels: int = 3, stages: tuple[int, ...] = (64, 128, 256), width: int = 512, bits: int = 2, features: int = 256
) -> nn.Module:
    """Return FINN's CNV: unpadded convolutions in pairs, maximum pooling, three linear layers."""
    layers: list[nn.Module] = [quantiser(bits=8)]
    inputs = channels
    for number, outputs in enumerate(stages):
        layers += [nn.MaxPool2d(2)] if number else []
        for _ in range(2):
            layers += [conv(inputs, outputs, bits=bits, padding=0), nn.BatchNorm2d(outputs), quantiser(bits)]
            inputs = outputs
    layers.append(nn.Flatten())
    inputs = features
    for _ in range(2):
        layers += [qnn.QuantLinear(inputs, width, bias=False, weight_bit_width=bits), nn.BatchNorm1d(width)]
        layers.append(quantiser(bits))
        inputs = width
    return nn.Sequential(*layers, qnn.QuantLinear(inputs, 10, bias=False, weight_bit_width=bits))


def mobilenet(
    channels: int = 3, first: int = 32, blocks: tuple[tuple[int, int], ...] = ((64, 1), (128, 2), (128, 1), (256, 2))
) -> nn.Module:
    """Return a MobileNet: depthwise-separable blocks (output channels, stride) behind a strided convolution."""
    layers: list[nn.Module] = [quantiser(), conv(channels, first, bits=8, stride=2), nn.BatchNorm2d(first), relu()]
    inputs = first
    for outputs, stride in blocks:
        layers += [conv(inputs, inputs, groups=inputs, stride=stride), nn.BatchNorm2d(inputs), relu()]
        layers += [conv(inputs, outputs, 1), nn.BatchNorm2d(outputs), relu()]
        inputs = outputs
    return nn.Sequential(*layers, Head(inputs))


class ResidualBlock(nn.Module):
    """ReLU of the sum of two convolutions and of the input, or of a 1x1 convolution of it where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(conv(inputs, outputs, stride=stride), nn.BatchNorm2d(outputs), relu())
        self.second = nn.Sequential(conv(outputs, outputs), nn.BatchNorm2d(outputs))
        changed = inputs != outputs or stride > 1
        self.shortcut = conv(inputs, outputs, 1, stride=stride, padding=0) if changed else nn.Identity()
        self.branch, self.sum = quantiser(), relu()

    def forward(self, x: Tensor) -> Tensor:
        return self.sum(self.branch(self.second(self.first(x))) + self.branch(self.shortcut(x)))


def resnet8(channels: int = 3, widths: tuple[int, ...] = (16, 32, 64)) -> nn.Module:
    """Return the ResNet of MLPerf Tiny: a convolution, three residual blocks, a linear layer."""
    layers: list[nn.Module] = [quantiser(), conv(channels, widths[0], bits=8), nn.BatchNorm2d(widths[0]), relu()]
    inputs = widths[0]
    for number, outputs in enumerate(widths):
        layers.append(ResidualBlock(inputs, outputs, 2 if number else 1))
        inputs = outputs
    return nn.Sequential(*layers, Head(inputs))


FULL = {
    "tfc": (tfc, (1, 28, 28)),
    "cnv": (cnv, (3, 32, 32)),
    "mobilenet": (mobilenet, (3, 32, 32)),
    "resnet8": (resnet8, (3, 32, 32)),
}


def main(names: list[str]) -> int:
    """Build networks in their full size to the folded graph, and print what the proof compared."""
    from tests.byo.cases import Case, signed
    from tests.byo.run import build_case

    failed = 0
    for name in names or FULL:
        make, shape = FULL[name]
        case = Case(name, make, export={"shape": shape, "values": signed}, without_steps=("step_roll_ode_blocks",))
        with tempfile.TemporaryDirectory(prefix="plain_") as folder:
            try:
                build_case(case, Path(folder), last_step="step_fold", target_fps=1000)
                outcome = (Path(folder) / "build" / "report" / "proof.json").read_text()
            except (UserError, FlowError) as error:
                outcome, failed = f"{type(error).__name__}: {error}", 1
        print(f"{name}: {outcome}", flush=True)
    return failed


if __name__ == "__main__":
    torch.manual_seed(0)
    sys.exit(main(sys.argv[1:]))
