"""The graph of integers under construction, and what is known of each tensor of the graph it comes from."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.general import SortGraph
from qonnx.util.basic import qonnx_make_model

from finn_flow.transformations.batch_norms import Arrays, BatchNorm
from finn_flow.transformations.elementwise import Expression, Source
from finn_flow.transformations.graph_index import live_nodes
from finn_flow.transformations.name_nodes import name_nameless_nodes

OPSET = 13
"""Oldest operator set of a graph of integers; what is kept of an older model's nodes means the same in it."""
DOMAIN = "custom_ops"
"""ONNX domain of this project's ops on integer graphs."""


@dataclass(frozen=True)
class Codes:
    """A tensor of integers in the new graph; value = code · scale.

    `scale` is a scalar or [channels]; `lowest` and `highest` bound the codes likewise.
    """

    name: str
    scale: NDArray[np.float64]
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]
    shape: tuple[int, ...]

    @property
    def channels(self) -> int:
        """Length of axis 1."""
        return self.shape[1]

    @property
    def count(self) -> int:
        """How many codes lie between the lowest and the highest of all channels."""
        return int(self.highest.max() - self.lowest.min()) + 1

    def expression(self) -> Source:
        """Its value, for elementwise functions of it."""
        return Source(self.name, per_channel(self.scale).astype(np.float32))

    def bounds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Lowest and highest codes, [1, 1, channels or 1, 1] each."""
        return per_channel(self.lowest), per_channel(self.highest)


def per_channel(values: NDArray) -> NDArray:
    """Return a scalar or [channels] in the layout of elementwise functions, [1, 1, channels or 1, 1]."""
    return values.reshape(1, 1, -1, 1)


@dataclass(frozen=True)
class Pending:
    """A float tensor that is an elementwise function of codes; it exists until a quantiser turns it into codes."""

    sources: tuple[Codes, ...]
    expression: Expression
    shape: tuple[int, ...]
    positions: Positions = ()


Positions = tuple[int, ...]
"""The number of the kind of each pixel, row by row, where a function differs between kinds; () where it does not."""


@dataclass(frozen=True)
class Stacked:
    """Channels of codes and constant ones, in order; it exists until a convolution takes it.

    A constant part is [iterations or 1, channels, *map].
    """

    parts: tuple[Codes | NDArray[np.float32], ...]


@dataclass(frozen=True)
class Weights:
    """A constant: integer codes and their scale per output channel (or scalar), and what they stand for in float32."""

    codes: NDArray[np.int64]
    scale: NDArray[np.float64]
    values: NDArray[np.float32]


@dataclass
class IntegerGraph:
    """The graph under construction, and what is known of each tensor of the old one."""

    nodes: list[NodeProto] = field(default_factory=list)
    initializers: dict[str, NDArray] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    env: dict[str, Codes | Pending | Stacked | Weights] = field(default_factory=dict)
    indexed: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    new_parameters: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    codes: dict[str, Codes] = field(default_factory=dict)
    batch_norms: list[BatchNorm] = field(default_factory=list)
    normalisations: dict[str, Arrays] = field(default_factory=dict)

    def add(
        self, node: NodeProto, shape: tuple[int, ...], dtype: str, scale: NDArray[np.float64], bounds: Bounds
    ) -> Codes:
        """Append a node whose one output holds codes, and return them."""
        name = node.output[0]
        self.nodes.append(node)
        self.shapes[name], self.dtypes[name] = shape, dtype
        return self.know(Codes(name, np.asarray(scale), np.asarray(bounds[0]), np.asarray(bounds[1]), shape))

    def know(self, codes: Codes) -> Codes:
        """Note the codes of a tensor of the new graph."""
        self.codes[codes.name] = codes
        return codes

    def add_parameter(self, name: str, values: NDArray, dtype: str) -> str:
        """Add a constant of integers, [iterations or 1, ...]: with several iterations it is a parameter of the loop."""
        if values.shape[0] > 1:
            self.new_parameters[name] = values.astype(np.float32)
        else:
            self.initializers[name] = values[0].astype(np.float32)
        self.dtypes[name] = dtype
        return name

    def fresh(self, name: str) -> str:
        """`name`, or that name with a number behind it if a tensor has it already."""
        return unique_name(name, self.shapes.keys() | self.initializers.keys() | self.new_parameters.keys())


Bounds = tuple[int | NDArray[np.int64], int | NDArray[np.int64]]


def unique_name(base: str, taken: Container[str]) -> str:
    """Return `base`, with a number behind it if the name is `taken` already."""
    name, number = base, 0
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def integer_type(lowest: int, highest: int, signed: bool = False) -> str:
    """Name of the smallest INT (or UINT, unless `signed`) of at least 2 bits that holds both bounds."""
    if lowest >= 0 and not signed:
        return f"UINT{max(int(highest).bit_length(), 2)}"
    return f"INT{1 + max(max(int(highest), 0).bit_length(), (-int(lowest) - 1).bit_length() if lowest < 0 else 0, 1)}"


def build_model(graph: IntegerGraph, old: ModelWrapper, inputs: list[str], outputs: list[str]) -> ModelWrapper:
    """Return the graph as a model, without the nodes that no output needs."""

    def value_info(tensor: str) -> object:
        return helper.make_tensor_value_info(tensor, TensorProto.FLOAT, graph.shapes[tensor])

    nodes = [graph.nodes[number] for number in live_nodes(graph.nodes, outputs)]
    used = {name for node in nodes for name in (*node.input, *node.output)} | {*inputs, *outputs}
    proto = helper.make_graph(nodes, old.graph.name, [value_info(t) for t in inputs], [value_info(t) for t in outputs])
    versions = {entry.domain: entry.version for entry in old.model.opset_import if entry.domain != DOMAIN}
    versions[""] = max(versions.get("", OPSET), OPSET)
    opsets = [helper.make_opsetid(domain, version) for domain, version in versions.items()]
    model = ModelWrapper(qonnx_make_model(proto, opset_imports=[*opsets, helper.make_opsetid(DOMAIN, 1)]))
    for tensor, value in graph.initializers.items():
        if tensor in used:
            model.set_initializer(tensor, value)
    for tensor, shape in graph.shapes.items():
        if tensor in used:
            model.set_tensor_shape(tensor, list(shape))
    for tensor, dtype in graph.dtypes.items():
        if tensor in used:
            model.set_tensor_datatype(tensor, DataType[dtype])
    model = model.transform(SortGraph())
    name_nameless_nodes(model)
    return model
