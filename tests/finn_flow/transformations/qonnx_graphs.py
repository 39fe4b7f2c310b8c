"""Hand-made QONNX graphs of ODE networks as Brevitas exports them: NCHW, Quant nodes, shared weight quantisers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp
from qonnx.util.basic import qonnx_make_model

from finn_flow.transformations.roll_ode_blocks import RollODEBlocks

QONNX_DOMAIN = "qonnx.custom_op.general"
OPSET_IMPORTS = [helper.make_opsetid("", 18), helper.make_opsetid(QONNX_DOMAIN, 2)]
CHANNELS = 3
SHAPE = (1, CHANNELS, 4, 4)
STATE = {"bits": 8, "scale": 2.0**-4}


class GraphBuilder:
    """Adds nodes one by one; every method returns the name of its output.

    `noise` makes the graph as untidy as exporters may leave it, from a seed: Identity and Cast nodes, Constant nodes
    instead of initialisers, attributes and the inputs of Add and Mul in any order.
    """

    def __init__(self, seed: int = 0, noise: bool = False) -> None:
        self.random = np.random.default_rng(seed)
        self.noise = noise
        self.nodes: list = []
        self.initialisers: list = []

    def node(self, op_type: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        names = list(inputs)
        if self.noise and op_type in ("Add", "Mul") and self.random.random() < 0.5:
            names.reverse()
        output = f"t{len(self.nodes)}"
        node = helper.make_node(op_type, names, [output], name=f"{op_type}_{output}", domain=domain, **attributes)
        if self.noise:
            order = self.random.permutation(len(node.attribute))
            shuffled = [node.attribute[i] for i in order]
            del node.attribute[:]
            node.attribute.extend(shuffled)
        self.nodes.append(node)
        if self.noise and self.random.random() < 0.2:
            copy = f"t{len(self.nodes)}"
            kind = ("Cast", {"to": TensorProto.FLOAT}) if self.random.random() < 0.5 else ("Identity", {})
            self.nodes.append(helper.make_node(kind[0], [output], [copy], name=f"Copy_{copy}", **kind[1]))
            return copy
        return output

    def nodes_of(self, op_type: str, inputs: list[str], outputs: int, **attributes: object) -> list[str]:
        """Add a node of several outputs and return their names."""
        names = [f"t{len(self.nodes)}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(op_type, inputs, names, name=f"{op_type}_{names[0]}", **attributes))
        return names

    def constant(self, value: object, dtype: type = np.float32) -> str:
        name = f"c{len(self.initialisers)}"
        tensor = numpy_helper.from_array(np.asarray(value, dtype=dtype), name)
        self.initialisers.append(tensor)
        if self.noise and self.random.random() < 0.3:
            output = f"t{len(self.nodes)}"
            self.nodes.append(helper.make_node("Constant", [], [output], name=f"Constant_{output}", value=tensor))
            return output
        return name

    def weight(self, *shape: int, quantised: bool = True, bits: int = 4) -> str:
        """Return a weight tensor, behind a Quant node or, already quantised, as a mere initialiser."""
        limit = 2 ** (bits - 1) - 1
        codes = self.random.integers(-limit, limit + 1, shape)
        raw = self.constant(codes * 2.0**-3)
        return self.quant(raw, bits=bits, scale=2.0**-3, narrow=1) if quantised else raw

    def quant(self, x: str, bits: int, scale: object, signed: int = 1, narrow: int = 0) -> str:
        constants = [self.constant(value) for value in (scale, 0.0, bits)]
        attributes = {"signed": signed, "narrow": narrow, "rounding_mode": "ROUND"}
        return self.node("Quant", x, *constants, domain=QONNX_DOMAIN, **attributes)

    def relu(self, x: str) -> str:
        return self.quant(self.node("Relu", x), bits=4, scale=2.0**-2, signed=0)

    def conv(self, x: str, weight: str, kernel: int, group: int = 1, stride: int = 1, bias: str | None = None) -> str:
        pads = [kernel // 2] * 4
        inputs = [x, weight] + ([bias] if bias else [])
        return self.node(
            "Conv", *inputs, kernel_shape=[kernel] * 2, pads=pads, strides=[stride] * 2, group=group, dilations=[1, 1]
        )

    def affine(self, x: str, channels: int, scale: float = 0.5, shape: tuple[int, ...] | None = None) -> str:
        """Multiply and add random constants per channel."""
        shape = shape or (1, channels, 1, 1)
        factor = self.constant(self.random.integers(1, 8, shape) * scale / 4)
        offset = self.constant(self.random.integers(-8, 8, shape) / 16)
        return self.node("Add", self.node("Mul", x, factor), offset)

    def _type(self, output: str) -> int:
        positions = any(node.op_type in ("ArgMax", "TopK") and output == node.output[-1] for node in self.nodes)
        return TensorProto.INT64 if positions else TensorProto.FLOAT

    def finish(self, input_shape: tuple[int, ...], *outputs: str) -> ModelWrapper:
        """Return the model, with all shapes inferred, in linear time; its input is called 'x'."""
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, input_shape)],
            [helper.make_tensor_value_info(name, self._type(name), None) for name in outputs],
            initializer=self.initialisers,
        )
        model = qonnx_make_model(graph, opset_imports=OPSET_IMPORTS)
        known = onnx.ModelProto()
        known.CopyFrom(model)
        for node in known.graph.node:
            if node.domain == QONNX_DOMAIN:
                node.CopyFrom(helper.make_node("Identity", node.input[:1], node.output))
        known = onnx.shape_inference.infer_shapes(known, strict_mode=True)
        del model.graph.output[:]
        model.graph.output.extend(known.graph.output)
        model.graph.value_info.extend(known.graph.value_info)
        model.graph.value_info.extend(
            helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims) for tensor in self.initialisers
        )
        return ModelWrapper(model, fix_missing_initializer_valueinfo=False)


Field = Callable[[str, int], str]
"""A vector field: (builder's state tensor, iteration) -> increment tensor."""


def vector_field(
    net: GraphBuilder, channels: int, style: str = "ds", time_bias: bool = True, quantised_weights: bool = True
) -> Field:
    """Return a field of style 'ds', 'dense' or 'matmul' that shares its weights; with `time_bias` no constants."""

    def weight(*shape: int) -> str:
        return net.weight(*shape, quantised=quantised_weights)

    if style == "ds":
        kernels = [(3, channels), (1, 1), (3, channels), (1, 1)]
    elif style == "dense":
        kernels = [(3, 1), (3, 1)]
    else:
        kernels = [(0, 1), (0, 1)]
    weights = [weight(channels, channels) if k == 0 else weight(channels, channels // g, k, k) for k, g in kernels]
    shape = (1, channels) if style == "matmul" else (1, channels, 1, 1)
    fixed = [(net.random.integers(1, 8, shape) / 8, net.random.integers(-8, 8, shape) / 16) for _ in kernels]

    def field(z: str, _iteration: int) -> str:
        x = net.relu(z)
        for layer, ((kernel, group), w) in enumerate(zip(kernels, weights, strict=True)):
            x = net.conv(x, w, kernel, group) if kernel else net.node("MatMul", x, w)
            if time_bias:
                x = net.affine(x, channels, shape=shape)
            else:
                x = net.node("Add", net.node("Mul", x, net.constant(fixed[layer][0])), net.constant(fixed[layer][1]))
            if layer < len(kernels) - 1:
                x = net.relu(x)
        return net.quant(x, bits=6, scale=2.0**-5)

    return field


def euler(net: GraphBuilder, z: str, field: Field, iterations: int, state: dict = STATE) -> str:
    """Add `iterations` Euler steps z <- Quant(z + field(z))."""
    for i in range(iterations):
        z = net.quant(net.node("Add", z, field(z, i)), **state)
    return z


def ode_net(
    iterations: tuple[int, ...],
    channels: int = 2,
    style: str = "ds",
    time_bias: bool = True,
    quantised_weights: bool = True,
    size: int = 4,
    seed: int = 0,
    noise: bool = False,
    state_output: bool = True,
) -> ModelWrapper:
    """Return stem, ODE blocks (a strided convolution between each two, except for 'matmul') and head.

    Outputs: the logits and, if asked for, the last state.
    """
    net = GraphBuilder(seed, noise)
    flat = style == "matmul"
    x = net.quant("x", bits=8, scale=2.0**-7, signed=0)
    x = net.node("MatMul", x, net.weight(3, channels)) if flat else net.conv(x, net.weight(channels, 3, 3, 3), 3)
    z = net.quant(net.affine(x, channels, shape=(1, channels) if flat else None), **STATE)
    for block, count in enumerate(iterations):
        if block and not flat:
            x = net.conv(net.relu(z), net.weight(channels, channels, 3, 3), 3, stride=2)
            z = net.quant(net.affine(x, channels), **STATE)
        z = euler(net, z, vector_field(net, channels, style, time_bias, quantised_weights), count)
    x = net.relu(z)
    if not flat:
        x = net.node("ReduceSum", x, net.constant([2, 3], np.int64), keepdims=0)
    logits = net.node("MatMul", x, net.weight(channels, 5, bits=8))
    return net.finish((1, 3) if flat else (1, 3, size, size), logits, *([z] if state_output else []))


def run(model: ModelWrapper, seed: int = 0) -> dict[str, NDArray]:
    """Execute `model` on a random image and return its outputs."""
    shape = model.get_tensor_shape("x")
    x = np.random.default_rng(seed).integers(0, 256, shape).astype(np.float32) / 128
    return execute_onnx(model, {"x": x})


def assert_same_execution(before: ModelWrapper, after: ModelWrapper) -> None:
    """Check that two models with the same output names compute the same bits."""
    expected, found = run(before), run(after)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def loop_iterations(model: ModelWrapper) -> list[int]:
    """Return the iteration counts of the model's loops, in order."""
    return [getCustomOp(node).get_nodeattr("iterations") for node in model.get_nodes_by_op_type("ODELoop")]


def loop_bodies(model: ModelWrapper) -> list[ModelWrapper]:
    """Return the bodies of the model's loops, in order."""
    return [getCustomOp(node).get_nodeattr("body") for node in model.get_nodes_by_op_type("ODELoop")]


def small_net(seed: int = 0) -> tuple[GraphBuilder, str]:
    """Return a builder and a quantised state of three channels."""
    net = GraphBuilder(seed)
    return net, net.quant(net.affine("x", CHANNELS), **STATE)


def roll(model: ModelWrapper, *iterations: int, require: bool = True) -> ModelWrapper:
    """Roll `model`; check the loops' iteration counts, equal execution and that a second time changes nothing."""
    rolled = model.transform(RollODEBlocks(require=require))
    assert loop_iterations(rolled) == list(iterations)
    assert_same_execution(model, rolled)
    text = rolled.model.SerializeToString()
    again, changed = RollODEBlocks(require=require).apply(rolled)
    assert not changed
    assert again.model.SerializeToString() == text
    return rolled
