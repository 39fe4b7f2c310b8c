"""The quantiser that determines a tensor's datatype and scale, and the check that a loop's state keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.transformations.graph_index import GraphIndex
from finn_flow.transformations.quantiser import QUANTISERS

VALUE_PRESERVING = frozenset(
    {"Dropout", "Flatten", "Gather", "MaxPool", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze"}
)
"""Operators whose outputs are elements of their first input: they keep its quantisation."""


@dataclass(frozen=True)
class QuantisedValues:
    """The set of values that a quantiser maps to; rounding mode and narrow range do not matter to a reader."""

    bits: int
    signed: bool
    scale: tuple[float, ...]
    zero_point: tuple[float, ...]
    node_name: str = field(compare=False)

    def __str__(self) -> str:
        scale = f"scale {self.scale[0]:g}" if len(self.scale) == 1 else f"{len(self.scale)} scales"
        zero = "" if not any(self.zero_point) else f", zero-point {self.zero_point[0]:g}"
        return f"{'signed' if self.signed else 'unsigned'} {self.bits}-bit, {scale}{zero} (node '{self.node_name}')"


def find_quantiser(index: GraphIndex, name: str) -> QuantisedValues | None:
    """Return the quantiser that made the values of the resolved dynamic tensor `name`, or None for plain floats.

    The search looks through operators that only move values, and into the bodies of ODE loops. A quantiser whose
    scale is computed from the input counts as none.
    """
    while name in index.producer:
        number, output = index.producer[name]
        node = index.nodes[number]
        if node.op_type == "ODELoop":
            body: ModelWrapper = getCustomOp(node).get_nodeattr("body")
            inner = GraphIndex(body)
            return find_quantiser(inner, inner.resolve(body.graph.output[0].name))
        if node.op_type in QUANTISERS:
            return _read_quantiser(index, node, index.inputs[number])
        if node.op_type not in VALUE_PRESERVING or output != 0:
            return None
        name = index.inputs[number][0]
    return None


def _read_quantiser(index: GraphIndex, node: NodeProto, inputs: tuple[str, ...]) -> QuantisedValues | None:
    if not all(index.is_constant(name) for name in inputs[1:]):
        return None
    scale, *others = (np.ravel(index.constant_value(name)) for name in inputs[1:])
    zero_point, bits = others if others else (np.zeros(1), np.ones(1))
    signed = next((attribute.i for attribute in node.attribute if attribute.name == "signed"), 1)
    return QuantisedValues(int(bits[0]), bool(signed), tuple(scale.tolist()), tuple(zero_point.tolist()), node.name)


def check_state_closes(index: GraphIndex, states: list[str]) -> None:
    """Check that all the tensors `states` that bound a block's iterations have one shape and one quantiser.

    Raises
    ------
    UserError naming the two tensors that differ, and how.
    """
    start, end = states[0], states[-1]
    block = f"ODE block from '{start}' to '{end}' ({len(states) - 1} iterations)"
    entry = find_quantiser(index, start)
    for name in states[1:]:
        if index.shapes[name] != index.shapes[start]:
            raise UserError(
                f"{block}: the state must keep its shape, but '{start}' has shape {list(index.shapes[start])} and "
                f"'{name}' has {list(index.shapes[name])}; move what changes the shape (a stride, say) out of the block"
            )
        found = find_quantiser(index, name)
        if found != entry:
            raise UserError(
                f"{block}: the state must keep its datatype and scale, but '{start}' is {entry or 'not quantised'} "
                f"and '{name}' is {found or 'not quantised'}; use one state quantiser at both places"
            )
