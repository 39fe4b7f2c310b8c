"""Random networks over what the compiler knows: layers, functions, quantisers, sums, solvers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from qonnx.core.modelwrapper import ModelWrapper

from tests.finn_flow.transformations.qonnx_graphs import QONNX_DOMAIN, GraphBuilder


class Drawer:
    """Draws one network; scales of what feeds a layer are powers of two, so that its float32 execution is exact."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.net = GraphBuilder(seed=draw(st.integers(0, 10**6)))

    def choose(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def flag(self) -> bool:
        return bool(self.draw(st.booleans()))

    def number(self, low: float, high: float) -> float:
        """Return a number of no particular form."""
        return float(np.float32(self.net.random.uniform(low, high)))

    def quantised(self, x: str, any_scale: bool = False, bits: Sequence[int] = (2, 3, 4, 6)) -> str:
        """Return a quantiser of any kind."""
        scale = self.number(0.05, 0.6) if any_scale else 2.0 ** self.choose([-3, -2, -1, 0])
        signed = int(self.flag())
        return self.net.quant(x, self.choose(bits), scale, signed, signed and int(self.flag()))

    def weight(self, *shape: int, axis: int = 0) -> str:
        """Return weights of one scale, or of one for each output channel, on `axis`; of one bit, too."""
        kind, net = self.choose(["tensor", "tensor", "channel", "binary"]), self.net
        if kind == "tensor":
            return net.weight(*shape, bits=self.choose([2, 4, 4, 6, 8]))
        scale = 2.0 ** net.random.integers(-4, -1, [n if i == axis else 1 for i, n in enumerate(shape)])
        raw = net.constant(net.random.uniform(-1, 1, shape))
        if kind == "binary":
            return net.node("BipolarQuant", raw, net.constant(2.0**-2), domain=QONNX_DOMAIN)
        return net.quant(raw, self.choose([3, 4]), scale, narrow=int(self.flag()))

    def image(self, channels: int, rank: int) -> str:
        """Return the codes of the image, from whatever the model's input is."""
        net, x = self.net, "x"
        if self.flag() and self.flag():
            shape = (1, channels, *[1] * (rank - 2))
            x = net.node("Sub", x, net.constant(net.random.uniform(0, 0.5, shape)))
            x = net.node("Div", x, net.constant(net.random.uniform(0.2, 0.5, shape)))
        signed = int(self.flag())
        return net.quant(x, bits=self.choose([4, 8, 8]), scale=2.0 ** self.choose([-8, -7, -5, 0]), signed=signed)

    def function(self, x: str, channels: int, rank: int) -> str:
        """Return a batch-norm of any gains, or none, and an activation, or none."""
        net = self.net
        if self.flag():
            shape = (1, channels, *[1] * (rank - 2))
            gains = net.random.uniform(0.2, 1.5, shape) * net.random.choice([-1, 1], shape)
            x = net.node("Add", net.node("Mul", x, net.constant(gains)), net.constant(net.random.uniform(-1, 1, shape)))
        match self.choose(["none", "Relu", "Clip", "LeakyRelu", "Tanh", "Sigmoid", "HardSwish", "silu", "Abs", "Elu"]):
            case "none":
                return x
            case "Clip":
                return net.node("Clip", x, net.constant(0.0), net.constant(6.0))
            case "silu":
                return net.node("Mul", x, net.node("Sigmoid", x))
            case kind:
                return net.node(kind, x)

    def convolution(self, x: str, shape: list[int], keep: bool = False) -> tuple[str, list[int]]:
        """Return a convolution of any window and groups; with `keep` the shape stays."""
        channels, *size = shape
        dilation = [self.choose([1, 1, 2]) for _ in size]
        kernel = [self.choose([1, 2, 3, 3, 5] if not keep else [1, 3, 3, 5]) for _ in size]
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
        if keep:
            stride, before = [1] * len(size), [span // 2 for span in spans]
            after = before
        else:
            stride = [self.choose([1, 1, 2]) for _ in size]
            before, after = ([self.choose(range(min(span, 3))) for span in spans] for _ in range(2))
            if any(n + b + a < span for n, b, a, span in zip(size, before, after, spans, strict=True)):
                before = after = [span // 2 for span in spans]
        groups = self.choose([g for g in (1, 1, 2, channels) if channels % g == 0])
        outputs = channels if keep or groups == channels else groups * self.choose([1, 2])
        weight = self.weight(outputs, channels // groups, *kernel)
        bias = [self.net.constant(self.net.random.uniform(-2, 2, outputs))] if self.flag() else []
        attributes = {"kernel_shape": kernel, "strides": stride, "dilations": dilation, "pads": [*before, *after]}
        y = self.net.node("Conv", x, weight, *bias, group=groups, **attributes)
        out = [(n + b + a - span) // s + 1 for n, b, a, span, s in zip(size, before, after, spans, stride, strict=True)]
        return y, [outputs, *out]

    def pool(self, x: str, shape: list[int]) -> tuple[str, list[int]]:
        """Return a maximum or average over small windows, or nothing."""
        kind = self.choose(["none", "MaxPool", "AveragePool"])
        if kind == "none" or min(shape[1:]) < 2:
            return x, shape
        stride = [self.choose([1, 2]) for _ in shape[1:]]
        y = self.net.node(kind, x, kernel_shape=[2] * len(stride), strides=stride)
        size = [(n - 2) // s + 1 for n, s in zip(shape[1:], stride, strict=True)]
        return (self.quantised(y) if kind == "AveragePool" else y), [shape[0], *size]

    def block(self, z: str, shape: list[int]) -> str:
        """Return a solver's steps with one set of weights."""
        state = {"bits": self.choose([4, 6]), "scale": 2.0**-2, "signed": int(self.flag())}
        own = {"bits": self.choose([3, 5]), "scale": self.number(0.03, 0.5), "signed": 1}
        increment = self.choose([state, own])
        step, rectified, time = self.choose([None, 0.25, 0.1, -0.5]), self.flag(), self.flag()
        window = [self.choose([1, 3]) for _ in shape[1:]]
        weight = self.weight(shape[0], shape[0] + time, *window)
        offset = self.net.constant(self.net.random.uniform(-1, 1, (1, shape[0], *[1] * (len(shape) - 1))))
        attributes = {"kernel_shape": window, "pads": [k // 2 for k in window] * 2, "strides": [1] * len(window)}
        z = self.net.quant(z, **state)
        for number in range(self.choose([2, 3])):
            y = self.net.quant(self.net.node("Relu", z), bits=4, scale=2.0**-2, signed=0)
            if time:
                y = self.net.node("Concat", self.net.constant(np.full((1, 1, *shape[1:]), 0.25 * number)), y, axis=1)
            y = self.net.node("Add", self.net.node("Conv", y, weight, group=1, **attributes), offset)
            y = self.net.quant(y, **increment)
            y = y if step is None else self.net.node("Mul", y, self.net.constant(step))
            total = self.net.node("Add", z, y)
            z = self.net.quant(self.net.node("Relu", total) if rectified else total, **state)
        return z

    def head(self, x: str, shape: list[int]) -> str:
        """Pooling or flattening, and a linear layer."""
        net = self.net
        axes = list(range(2, 1 + len(shape)))
        kind = self.choose(["ReduceMean", "ReduceSum", "GlobalAveragePool", "GlobalMaxPool", "Flatten"])
        features = shape[0]
        if kind in ("ReduceMean", "ReduceSum"):
            x = net.node(kind, x, net.constant(axes, np.int64), keepdims=0)
        else:
            features = shape[0] if kind != "Flatten" else int(np.prod(shape))
            x = net.node("Flatten", net.node(kind, x) if kind != "Flatten" else x, axis=1)
        if self.flag():
            x = self.quantised(self.function(x, features, 2))
        x = net.node("MatMul", x, self.weight(features, 3, axis=1))
        return net.node("Add", x, net.constant(net.random.integers(-64, 65, 3) / 8)) if self.flag() else x

    def end(self, values: str, features: str) -> list[str]:
        """Return the outputs: values, labels, or a feature map as well."""
        net = self.net
        match self.choose(["values", "values", "softmax", "argmax", "topk", "two"]):
            case "softmax":
                return [net.node("Softmax", values, axis=1)]
            case "argmax":
                return [net.node("ArgMax", values, axis=1, keepdims=int(self.flag()))]
            case "topk":
                return net.nodes_of("TopK", [values, net.constant([2], np.int64)], 2, axis=1)[1:]
            case "two":
                return [features, values]
            case _:
                return [values]


@st.composite
def networks(draw: st.DrawFn) -> ModelWrapper:
    """Return a network: image of 8 bits, layers, an ODE block or none, head."""
    drawer = Drawer(draw)
    axes = drawer.choose([1, 2, 2, 2])
    shape = [drawer.choose([1, 2, 4]), *[drawer.choose([5, 6, 8]) for _ in range(axes)]]
    given = tuple(shape)
    x = drawer.image(shape[0], len(shape) + 1)
    for _ in range(drawer.choose([1, 2])):
        y, shape = drawer.convolution(x, shape)
        x = drawer.quantised(drawer.function(y, shape[0], len(shape) + 1))
        x, shape = drawer.pool(x, shape)
    if drawer.flag():
        x = drawer.block(x, shape)
    if drawer.flag():
        other, _ = drawer.convolution(x, shape, keep=True)
        y = drawer.quantised(drawer.function(other, shape[0], len(shape) + 1), any_scale=True)
        x = drawer.quantised(drawer.net.node("Add", x, y))
    return drawer.net.finish((1, *given), *drawer.end(drawer.head(x, shape), x))
