"""A graph of hardware nodes while it is put together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.general import GiveReadableTensorNames, GiveUniqueNodeNames, SortGraph
from qonnx.util.basic import qonnx_make_model

from custom_ops.hardware import DOMAIN
from custom_ops.streams import array_type

ORIGINS = "origins"
"""Metadata property: for each tensor the one of the integer graph that it holds, as JSON."""


@dataclass
class HardwareGraph:
    """Nodes, and what is known of their tensors, all NHWC, by the names of the integer graph that they come from.

    Parameters
    ----------
    indexed
        Parameters with a leading iteration axis, of a loop's body.
    iterations
        Of the loop, in its body.
    uses_index
        Whether a node of the body reads the iteration number.
    aliases
        Tensors of the integer graph for which another one stands.
    orders
        Of flattened maps, the number in the integer graph of each feature in the order of the stream.
    """

    nodes: list[NodeProto] = field(default_factory=list)
    initializers: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    indexed: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    iterations: int = 0
    uses_index: bool = False
    aliases: dict[str, str] = field(default_factory=dict)
    orders: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def emit(self, op_type: str, inputs: Sequence[str], output: str, **attributes: Any) -> NodeProto:
        """Append a hardware node."""
        node = helper.make_node(op_type, list(inputs), [output], domain=DOMAIN, backend="fpgadataflow", **attributes)
        self.nodes.append(node)
        return node

    def tensor(self, name: str) -> str:
        """Return the tensor that stands for `name` of the integer graph."""
        return self.aliases.get(name, name)

    def define(self, name: str, shape: Sequence[int], dtype: str) -> None:
        """Give a tensor its shape and data type."""
        self.shapes[name], self.dtypes[name] = tuple(shape), dtype

    def define_like(self, model: ModelWrapper, name: str) -> None:
        """Define a tensor as the NHWC form of the one in the integer graph; missing axes have length 1."""
        shape = list(model.get_tensor_shape(name))
        shape = [*shape, *[1] * (4 - len(shape))]
        self.define(name, (shape[0], *shape[2:], shape[1]), model.get_tensor_datatype(name).name)

    def set_parameter(self, model: ModelWrapper, name: str, values: NDArray[np.float32]) -> None:
        """Give a parameter of the integer graph its values here."""
        self.initializers[name] = values
        self.dtypes[name] = model.get_tensor_datatype(name).name

    def build(self, name: str, inputs: Sequence[str], outputs: Sequence[str]) -> ModelWrapper:
        """Return the graph."""

        def value_info(tensor: str) -> object:
            return helper.make_tensor_value_info(tensor, TensorProto.FLOAT, self.shapes[tensor])

        graph = helper.make_graph(self.nodes, name, [value_info(t) for t in inputs], [value_info(t) for t in outputs])
        model = ModelWrapper(qonnx_make_model(graph))
        for tensor, values in self.initializers.items():
            model.set_initializer(tensor, values.astype(array_type(DataType[self.dtypes[tensor]])))
        for tensor, shape in self.shapes.items():
            model.set_tensor_shape(tensor, list(shape))
        for tensor, dtype in self.dtypes.items():
            model.set_tensor_datatype(tensor, DataType[dtype])
        model = model.transform(SortGraph()).transform(GiveUniqueNodeNames())
        given = [output for node in model.graph.node for output in node.output]
        model = model.transform(GiveReadableTensorNames())
        readable = [output for node in model.graph.node for output in node.output]
        model.set_metadata_prop(ORIGINS, json.dumps(dict(zip(readable, given, strict=True))))
        return model
