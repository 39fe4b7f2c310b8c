"""Networks that users bring: one case per way of writing them, and what must become of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import brevitas.nn as qnn
import torch
import torch.nn.functional as functional
from brevitas.quant import (
    Int8WeightPerChannelFloat,
    Int8WeightPerTensorFloat,
    Int16Bias,
    Int32Bias,
    SignedBinaryWeightPerTensorConst,
)
from torch import Tensor, nn

from tests.byo.export import Values
from tests.byo.layers import (
    CHANNELS,
    CLASSES,
    RK4,
    EightBitImage,
    Euler,
    Head,
    Heun,
    Midpoint,
    conv,
    fixed_point,
    negate_gains,
    network,
    quantiser,
    relu,
    separable_field,
    stem,
)
from tests.byo.plain import cnv, mobilenet, resnet8, tfc


@dataclass(frozen=True)
class Case:
    """A network and what must become of it.

    Parameters
    ----------
    what
        One line for `docs/models.md`.
    make
        Returns the network, not calibrated yet.
    refusal
        The whole message with which it is refused; None: the accelerator is exact.
    export
        Options of `tests.byo.export.export_case`.
    without_steps
        Steps of the configuration that the user leaves out.
    """

    what: str
    make: Callable[[], nn.Module]
    refusal: str | None = None
    export: dict[str, Any] = field(default_factory=dict)
    without_steps: tuple[str, ...] = ()


class NoStateQuantiser(Euler):
    def forward(self, z: Tensor) -> Tensor:
        for _ in range(self.steps):
            z = z + self.field(z)
        return z


class BiasedField(nn.Sequential):
    """Biased convolutions without batch-norm; the bias quantiser needs to know the scale of its input."""

    def __init__(self) -> None:
        bias = {"bias": True, "bias_quant": Int16Bias}
        first, second = relu(return_quant_tensor=True), relu(return_quant_tensor=True)
        depthwise = conv(CHANNELS, CHANNELS, groups=CHANNELS, **bias)
        super().__init__(first, depthwise, second, conv(CHANNELS, CHANNELS, 1, **bias))


class BiasedHead(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu, self.quantiser = relu(), quantiser(return_quant_tensor=True)
        self.linear = qnn.QuantLinear(CHANNELS, CLASSES, bias=True, bias_quant=Int32Bias, weight_bit_width=8)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.quantiser(self.relu(x).mean((2, 3))))


class TimeField(nn.Module):
    """The field of most public neural ODEs: the time is a further channel of every convolution's input."""

    def __init__(self) -> None:
        super().__init__()
        self.relus = nn.ModuleList([relu(), relu()])
        self.convs = nn.ModuleList([conv(CHANNELS + 1, CHANNELS), conv(CHANNELS + 1, CHANNELS)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(CHANNELS), nn.BatchNorm2d(CHANNELS)])

    def forward(self, t: float, z: Tensor) -> Tensor:
        for activation, layer, norm in zip(self.relus, self.convs, self.norms, strict=True):
            z = activation(z)
            z = norm(layer(torch.cat([torch.ones_like(z[:, :1]) * t, z], 1)))
        return z


class TimeEuler(Euler):
    def forward(self, z: Tensor) -> Tensor:
        z = self.state(z)
        for step in range(self.steps):
            z = self.state(z + self.state(self.field(step / self.steps, z)))
        return z


class AdaptivePoolHead(Head):
    def pool(self, x: Tensor) -> Tensor:
        return torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1)


class TwoImageQuantisers(nn.Module):
    """Two branches read the image, and each quantises it its own way."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = qnn.QuantIdentity(act_quant=EightBitImage), quantiser(4)
        self.wide, self.narrow = conv(1, CHANNELS, stride=2), conv(1, CHANNELS, 1, stride=2)
        self.branch, self.sum = quantiser(), quantiser()

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(self.branch(self.wide(self.fine(x))) + self.branch(self.narrow(self.coarse(x))))


def _full_range_negative() -> nn.Module:
    """Weights -8 to 7, and batch-norms with gains of both signs, as training gives."""
    field = separable_field(weight_quant=Int8WeightPerTensorFloat, weight_narrow_range=False)
    negate_gains(field)
    with torch.no_grad():
        for layer in field:
            if isinstance(layer, qnn.QuantConv2d):
                layer.weight.copy_(-layer.weight.abs() * 4)
                layer.weight[:, :, ::2, ::2] *= -0.3
    return network(Euler(field))


def _norm_first() -> nn.Module:
    field = nn.Sequential(nn.BatchNorm2d(CHANNELS), relu(), conv(CHANNELS, CHANNELS), nn.BatchNorm2d(CHANNELS))
    with torch.no_grad():
        field[0].weight[::2] *= -1
    return network(Euler(field))


def _dense_field(kernel: int = 3, **options: object) -> nn.Module:
    return nn.Sequential(relu(), conv(CHANNELS, CHANNELS, kernel, **options), nn.BatchNorm2d(CHANNELS))


def pooled_stem() -> nn.Module:
    image = qnn.QuantIdentity(act_quant=EightBitImage)
    return nn.Sequential(image, conv(1, CHANNELS, bits=8), nn.BatchNorm2d(CHANNELS), relu(), nn.MaxPool2d(2))


class TwoOutputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(stem(), Euler(separable_field()), relu())
        self.head = Head()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(x)
        return features, self.head(features)


class MapAndLabel(TwoOutputs):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features, values = super().forward(x)
        return features, values.argmax(1)


class Ended(nn.Module):
    """A network and what its user does with the values."""

    def __init__(self, end: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.values, self.end = network(), end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.values(x))


def _relu_state() -> nn.Module:
    field = nn.Sequential(conv(CHANNELS, CHANNELS), nn.BatchNorm2d(CHANNELS))
    return network(Euler(field, state=relu(8)))


def _long_windows() -> nn.Module:
    """Return a field of windows 1x7, 7x1 in groups, and 7x7 channel by channel."""
    layers = [
        conv(CHANNELS, CHANNELS, (1, 7), padding=(0, 3)),
        conv(CHANNELS, CHANNELS, (7, 1), padding=(3, 0), groups=2),
        conv(CHANNELS, CHANNELS, 7, groups=CHANNELS),
    ]
    return nn.Sequential(*(part for layer in layers for part in (relu(), layer, nn.BatchNorm2d(CHANNELS))))


class Series(nn.Module):
    """A network on a time series."""

    def __init__(self) -> None:
        super().__init__()

        def conv1d(inputs: int, outputs: int, kernel: int, **options: int) -> nn.Module:
            return qnn.QuantConv1d(inputs, outputs, kernel, bias=False, weight_bit_width=4, **options)

        first = [quantiser(), conv1d(1, CHANNELS, 5, stride=2), nn.BatchNorm1d(CHANNELS)]
        field = [relu(), conv1d(CHANNELS, CHANNELS, 3, padding=1), nn.BatchNorm1d(CHANNELS)]
        self.body = nn.Sequential(*first, Euler(nn.Sequential(*field)), relu())
        self.quantiser, self.linear = quantiser(), qnn.QuantLinear(CHANNELS, CLASSES, bias=False, weight_bit_width=8)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.quantiser(self.body(x).mean(2)))


def signed(pixels: Any) -> Any:
    """Pixels as -1 to 1."""
    return (pixels / 127.5 - 1).astype(pixels.dtype)


_SIGNED: Values = signed

_TIDY: dict[str, Any] = {"tidy": True}
_NOT_ROLLED = ("step_roll_ode_blocks",)
_AS_IT_IS: dict[str, Any] = {"train": False, **_TIDY}


CASES: dict[str, Case] = {
    "one shared quantiser": Case("one default quantiser for state and increment", network, export=_TIDY),
    "no state quantiser": Case(
        "`z + f(z)`, no quantiser on the state",
        lambda: network(NoStateQuantiser(separable_field())),
        "ODELoop_0: its state BatchNormalization_0_out0 is not quantised; put one quantiser q in front of the block "
        "and behind Add_0 in every iteration: z = q(z), then z = q(z + f(z))",
        export=_TIDY,
    ),
    "two quantisers": Case(
        "state and increment with a default quantiser each",
        lambda: network(Euler(separable_field(), increment=quantiser())),
        export=_TIDY,
    ),
    "signed image": Case(
        "signed image codes of a default quantiser",
        lambda: network(first=stem(quantiser())),
        export={"values": _SIGNED, **_TIDY},
    ),
    "16-bit biases": Case("convolutions with `Int16Bias`", lambda: network(Euler(BiasedField())), export=_TIDY),
    "32-bit bias at the end": Case("last layer with `Int32Bias`", lambda: network(head=BiasedHead()), export=_TIDY),
    "float bias at the end": Case("last layer with a float bias", lambda: network(head=Head(bias=True)), export=_TIDY),
    "time as a channel": Case("time concatenated as a channel", lambda: network(TimeEuler(TimeField())), export=_TIDY),
    "ReLU after the sum": Case("`z = relu(z + relu(f(z)))`, unsigned state", _relu_state, export=_TIDY),
    "adaptive average pool": Case(
        "`adaptive_avg_pool2d(x, 1)` and `flatten`", lambda: network(head=AdaptivePoolHead()), export=_TIDY
    ),
    "max pool": Case("2x2 maximum pool in the stem", lambda: network(first=pooled_stem()), export=_TIDY),
    "dilation": Case("dilated convolution", lambda: network(Euler(_dense_field(dilation=2, padding=2))), export=_TIDY),
    "a quarter of f": Case("`z + f(z) / 4`", lambda: network(Euler(separable_field(), step_size=0.25)), export=_TIDY),
    "midpoint": Case("midpoint method written out", lambda: network(Midpoint(separable_field())), export=_TIDY),
    "Heun": Case("Heun's method written out", lambda: network(Heun(separable_field())), export=_TIDY),
    "RK4": Case(
        "`z + (k1 + 2 k2 + 2 k3 + k4) / 6`, scales that are powers of two",
        lambda: network(RK4(separable_field(), state=fixed_point())),
        export=_TIDY,
    ),
    "RK4, any scale": Case(
        "the same with default quantisers",
        lambda: network(RK4(separable_field())),
        "Add_4: its result depends on 3 quantised tensors (Quant_22_out0, Quant_26_out0, Quant_30_out0); put a "
        "quantiser behind every sum of two, or add them with scales that are powers of two",
        export=_TIDY,
    ),
    "binary weights": Case(
        "weights of one bit",
        lambda: network(Euler(separable_field(weight_quant=SignedBinaryWeightPerTensorConst))),
        export=_TIDY,
    ),
    "one step": Case(
        "no repeated block, rolling asked for",
        lambda: network(Euler(separable_field(), steps=1)),
        "no ODE block found: no two layers share a weight; the steps of an ODE solver share one set of weights. To "
        "build the network without a loop, leave finn_flow.steps.frontend.step_roll_ode_blocks out of the "
        "configuration",
        export=_TIDY,
    ),
    "one step, not rolled": Case(
        "no repeated block, without the rolling step",
        lambda: network(Euler(separable_field(), steps=1)),
        export=_TIDY,
        without_steps=("step_roll_ode_blocks",),
    ),
    "logits": Case(
        "the values of the last layer, without the step that selects labels",
        network,
        without_steps=("step_select_labels",),
    ),
    "one number": Case("one output value", lambda: network(head=Head(classes=1)), export=_TIDY),
    "two outputs": Case(
        "the feature map in front of the head, and the values",
        TwoOutputs,
        export={"output_names": ["features", "values"]},
    ),
    "two outputs, one a label": Case(
        "the feature map in front of the head, and `argmax` of the values",
        MapAndLabel,
        export={"output_names": ["features", "label"], "train": False},
    ),
    "softmax": Case(
        "`softmax` at the end: it is left to the host",
        lambda: Ended(lambda values: values.softmax(1)),
        export={"logits": lambda network: network.values},
    ),
    "best three": Case(
        "`softmax` and `topk` at the end: the best three labels",
        lambda: Ended(lambda values: values.softmax(1).topk(3, 1)[1]),
        export={"train": False},
        without_steps=("step_select_labels",),
    ),
    "scale per class": Case(
        "last layer with a scale and a float bias per class",
        lambda: network(head=Head(bias=True, weight_quant=Int8WeightPerChannelFloat)),
    ),
    "feature map": Case(
        "a quantised feature map as output",
        lambda: network(head=nn.Sequential(relu(), conv(CHANNELS, 3, 1), quantiser())),
        export=_TIDY,
    ),
    "batch of four": Case("exported with a batch of 4", network, export={"batch": 4, **_TIDY}),
    "full-range weights, negative gains": Case(
        "weights -8 to 7 and negative batch-norm gains", _full_range_negative, export=_AS_IT_IS
    ),
    "two image quantisers": Case(
        "two different quantisers on the image", lambda: network(first=TwoImageQuantisers()), export=_AS_IT_IS
    ),
    "negative gain before the activation": Case(
        "batch-norm with negative gains before the first ReLU", _norm_first, export=_AS_IT_IS
    ),
    "long windows": Case("windows 1x7, 7x1 in groups, 7x7", lambda: network(Euler(_long_windows())), export=_TIDY),
    "time series": Case("one spatial axis: `QuantConv1d`", Series, export={"values": _SIGNED, "shape": (1, 12)}),
    "TFC": Case(
        "FINN's TFC: linear layers on a flattened image",
        lambda: tfc(36, width=6),
        export={"values": _SIGNED},
        without_steps=_NOT_ROLLED,
    ),
    "CNV": Case(
        "FINN's CNV: unpadded convolutions, maximum pools, linear layers",
        lambda: cnv(1, stages=(3, 4), width=6, features=4),
        export={"values": _SIGNED, "shape": (1, 14, 14)},
        without_steps=_NOT_ROLLED,
    ),
    "MobileNet": Case(
        "a MobileNet: depthwise-separable blocks of their own weights",
        lambda: mobilenet(1, first=3, blocks=((4, 1), (5, 2))),
        export={"values": _SIGNED},
        without_steps=_NOT_ROLLED,
    ),
    "ResNet8": Case(
        "MLPerf Tiny's ResNet8: residual blocks of their own weights",
        lambda: resnet8(1, widths=(2, 3, 4)),
        export={"values": _SIGNED},
        without_steps=_NOT_ROLLED,
    ),
    "raw, TorchScript": Case("Brevitas's file as it is, TorchScript exporter", network),
    "raw, dynamo": Case("Brevitas's file as it is, dynamo exporter", network, export={"dynamo": True}),
}
