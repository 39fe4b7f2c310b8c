"""Other nodes that compute the same as a node of a hardware graph, for the folding to choose from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.datatype import BaseDataType
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.transformations.matrix_products import cascade_mvau, constant_matrix
from finn_flow.transformations.requantise import requantisation


@dataclass(frozen=True)
class Alternative:
    """A node for the place of another one: same streams at the same positions, same values.

    Parameters
    ----------
    node
        Unfolded, named as the other one but for the type.
    constants
        Values and type of each constant input that the graph does not have yet, by name.
    """

    node: NodeProto
    constants: dict[str, tuple[NDArray, BaseDataType]] = field(default_factory=dict)

    def constant(self, model: ModelWrapper) -> NDArray | None:
        """Return the values of the node's second input, if it is a constant."""
        if len(self.node.input) < 2:
            return None
        name = self.node.input[1]
        return self.constants[name][0] if name in self.constants else model.get_initializer(name)


def alternatives(model: ModelWrapper, node: NodeProto) -> list[Alternative]:
    """Return the node itself and whatever else computes the same."""
    found = [Alternative(node)]
    for op_type in other_types(node.op_type):
        other = alternative(model, node, op_type)
        if other is not None:
            found.append(other)
    return found


def other_types(op_type: str) -> list[str]:
    """Return the types of nodes that may take the place of one of type `op_type`."""
    return list(_MAKERS.get(op_type, {}))


def alternative(model: ModelWrapper, node: NodeProto, op_type: str) -> Alternative | None:
    """Return the node of one of the `other_types` for the place of `node`, or None if it would not be the same."""
    made = _MAKERS[node.op_type][op_type](model, node)
    if made is None:
        return None
    replacement, constants = made
    replacement.name = alternative_name(node, op_type)
    return Alternative(replacement, constants)


def alternative_name(node: NodeProto, op_type: str) -> str:
    """Return the name of `node` with another type in it and the same number."""
    start, _, number = node.name.rpartition(node.op_type)
    return f"{start}{op_type}{number}" if number else f"{node.name}_{op_type}"


def put_in_place(model: ModelWrapper, node: NodeProto, alternative: Alternative) -> None:
    """Make `alternative` of `node`, which is in `model`; constants that nothing reads any more go."""
    before = [name for name in node.input if model.get_initializer(name) is not None]
    node.CopyFrom(alternative.node)
    for name, (values, datatype) in alternative.constants.items():
        model.set_initializer(name, values)
        model.set_tensor_datatype(name, datatype)
    used = {name for other in model.graph.node for name in other.input}
    for name in set(before) - used:
        model.del_initializer(name)
        for entries in (model.graph.quantization_annotation, model.graph.value_info):
            for entry in [e for e in entries if getattr(e, "tensor_name", getattr(e, "name", "")) == name]:
                entries.remove(entry)


_Made = tuple[NodeProto, dict[str, tuple[NDArray[np.float64], BaseDataType]]]
_MAKERS: dict[str, dict[str, Callable[[ModelWrapper, NodeProto], _Made | None]]] = {
    "IndexedThresholding_rtl": {"IndexedRequantisation_rtl": requantisation},
    "MVAU_rtl": {"CascadeMVAU_rtl": cascade_mvau, "ConstantMatrix_rtl": constant_matrix},
    "Thresholding_rtl": {"Requantisation_rtl": requantisation},
}
