"""The graph of integers under construction, and what is known of each tensor of the graph it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.general import GiveReadableTensorNames, GiveUniqueNodeNames, SortGraph
from qonnx.util.basic import qonnx_make_model

from finn_flow.transformations.thresholds import ElementwiseOp


@dataclass(frozen=True)
class Codes:
    """A tensor of integers in the new graph; value = code · scale.

    ``scale`` is a scalar or [channels]; ``lowest`` and ``highest`` bound the codes likewise.
    """

    name: str
    scale: NDArray[np.float64]
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Pending:
    """A float tensor that is an elementwise function of codes; it exists until a quantiser turns it into thresholds."""

    source: Codes
    ops: tuple[ElementwiseOp, ...]


@dataclass(frozen=True)
class Residual:
    """The float sum of a state and an increment; it exists until the state quantiser takes it."""

    first: Codes
    second: Codes


@dataclass(frozen=True)
class Weights:
    """A constant: integer codes and their scale per output channel (or scalar)."""

    codes: NDArray[np.int64]
    scale: NDArray[np.float64]


@dataclass
class IntegerGraph:
    """The graph under construction, and what is known of each tensor of the old one."""

    nodes: list[NodeProto] = field(default_factory=list)
    initializers: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    env: dict[str, Codes | Pending | Residual | Weights] = field(default_factory=dict)
    indexed: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    new_parameters: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def integer_type(lowest: int, highest: int, signed: bool = False) -> str:
    """Name of the smallest INT (or UINT, unless ``signed``) that holds both bounds."""
    if lowest >= 0 and not signed:
        return str(DataType.get_smallest_possible(max(int(highest), 1)).name).replace("BINARY", "UINT1")
    return f"INT{1 + max(int(highest).bit_length(), (-int(lowest) - 1).bit_length() if lowest < 0 else 0, 1)}"


def build_model(graph: IntegerGraph, old: ModelWrapper, inputs: list[str], outputs: list[str]) -> ModelWrapper:
    def value_info(tensor: str) -> object:
        return helper.make_tensor_value_info(tensor, TensorProto.FLOAT, graph.shapes[tensor])

    proto = helper.make_graph(
        graph.nodes, old.graph.name, [value_info(t) for t in inputs], [value_info(t) for t in outputs]
    )
    model = ModelWrapper(qonnx_make_model(proto, opset_imports=list(old.model.opset_import)))
    for tensor, value in graph.initializers.items():
        model.set_initializer(tensor, value)
    for tensor, shape in graph.shapes.items():
        model.set_tensor_shape(tensor, list(shape))
    for tensor, dtype in graph.dtypes.items():
        model.set_tensor_datatype(tensor, DataType[dtype])
    for transformation in (SortGraph(), GiveUniqueNodeNames(), GiveReadableTensorNames()):
        model = model.transform(transformation)
    return model
