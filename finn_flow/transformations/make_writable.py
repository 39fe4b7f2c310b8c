"""Parameters that come from batch-norm statistics become writable while the accelerator works."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from custom_ops.hardware import DOMAIN
from custom_ops.requantisation.coefficients import (
    MOST_MULTIPLIER,
    MOST_SHIFT,
    coefficients_of_shift,
    find_coefficients,
)
from custom_ops.requantisation.op import MULTIPLIER_BITS, OFFSET_BITS, PARAMETER_TYPE
from finn_flow.errors import UserError
from finn_flow.transformations.alternatives import Alternative, alternative_name, put_in_place
from finn_flow.transformations.batch_norms import Arrays, read_normalisations, write_normalisations
from finn_flow.transformations.bodies import loop_body, loops, set_loop_body
from finn_flow.transformations.code_ranges import code_range
from finn_flow.transformations.hardware_graph import ORIGINS

Integers = NDArray[np.int64]

FINER_BITS = 3
"""Bits of the shift beyond what the built-in parameters need, so that parameters for other statistics are found."""
STEEPER_BITS = 2
"""Bits of the multiplier beyond those of the built-in ones: slopes up to four times as steep."""
FARTHER_BITS = 3
"""Bits of the offset beyond those of the built-in ones."""

_TYPES = {
    "Thresholding_rtl": "Requantisation_rtl",
    "IndexedThresholding_rtl": "IndexedRequantisation_rtl",
}


class MakeWritable(Transformation):
    """Turn thresholds behind a batch-norm, in loop bodies too, into requantisation with writable parameters.

    Each such node gets `runtime_writeable_weights` and the name of its `normalisation`, of which the model's metadata
    then hold those that are used, with the ranges of their accumulators. Built-in parameters give the same codes as the
    thresholds. Follows `ConvertToHardware`; changes nothing when applied again.

    Raises
    ------
    UserError
        The model does not say what its batch-norms were computed from, one of them has a form that is not known, or one
        input and one output are not all it has.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        if any(is_writable(node) for node in all_nodes(model)):
            return model, False
        known = read_normalisations(model)
        if not known:
            raise UserError(
                "the model does not say what its batch-norms were computed from, so no statistics can be exchanged; "
                "export it again with `dsode export`, keep its BatchNormalization nodes, or leave out "
                "step_make_parameters_writable"
            )
        if len(model.graph.input) != 1 or len(model.graph.output) != 1:
            raise UserError("only accelerators with one input and one output can have writable parameters")
        used: dict[str, Arrays] = {}
        for node in loops(model):
            body = loop_body(node)
            self._change(body, known, used)
            set_loop_body(node, body)
        self._change(model, known, used)
        lost = sorted(set(known) - set(used))
        if lost:
            raise UserError(
                f"the batch-norm in front of {lost[0]} has become no thresholds of its own; it cannot adapt"
            )
        write_normalisations(model, used)
        return model, False

    def _change(self, model: ModelWrapper, known: dict[str, Arrays], used: dict[str, Arrays]) -> None:
        origins = json.loads(model.get_metadata_prop(ORIGINS) or "{}")
        for node in list(model.graph.node):
            name = origins.get(node.output[0], node.output[0]) if node.output else ""
            if node.op_type in _TYPES and name in known:
                used[name] = _make_writable(model, node, name, known[name])


def is_writable(node: NodeProto) -> bool:
    """Whether a node's parameters are written while it works."""
    return node.op_type in _TYPES.values() and bool(getCustomOp(node).get_nodeattr("runtime_writeable_weights"))


def all_nodes(model: ModelWrapper) -> list[NodeProto]:
    """Return the nodes of a graph, and after each loop those of its body; the body's are copies."""
    found = []
    for node in model.graph.node:
        found.append(node)
        if any(attribute.name == "body" for attribute in node.attribute):
            found += list(loop_body(node).graph.node)
    return found


def _make_writable(model: ModelWrapper, node: NodeProto, name: str, arrays: Arrays) -> Arrays:
    """Put requantisation into the place of thresholds; returns the normalisation with the accumulator's range."""
    op: Any = getCustomOp(node)
    indexed = node.op_type == "IndexedThresholding_rtl"
    channels, uses = int(op.get_nodeattr("NumChannels")), len(arrays["statistic"])
    thresholds = model.get_initializer(node.input[1]).astype(np.int64)
    thresholds = thresholds if indexed else thresholds[None]
    if channels != len(arrays["weight"]) or len(thresholds) != uses or (indexed and len(op.get_nodeattr("positions"))):
        raise UserError(f"{node.name}: its thresholds are not one set per channel of the batch-norm; it cannot adapt")
    thresholds = np.broadcast_to(thresholds, (uses, channels, thresholds.shape[-1]))
    values = code_range(model, node.input[0]).of_channels(channels)
    lowest, highest = (np.broadcast_to(bound, (uses, channels)) for bound in (values.lowest, values.highest))
    bias = int(op.get_nodeattr("ActVal"))
    found = find_coefficients(thresholds, lowest, highest, bias)
    if found is None:
        raise UserError(
            f"{node.name}: no multiplication and addition gives its codes; its parameters cannot be writable"
        )
    # A shift that the multipliers still fit with room for steeper slopes.
    room = MULTIPLIER_BITS - STEEPER_BITS - max(1, int(found.multiplier.max()).bit_length())
    shift = min(found.shift + max(0, min(FINER_BITS, room)), MOST_SHIFT)
    multiplier, offset, solved = coefficients_of_shift(thresholds, lowest, highest, bias, shift, found.ties_to_even)
    assert solved.all(), "a row that is solved stays solved at greater shifts"
    multiplier_bits = min(max(1, int(multiplier.max()).bit_length()) + STEEPER_BITS, MOST_MULTIPLIER.bit_length())
    offset_bits = min(max(int(value).bit_length() for value in offset.flat) + 1 + FARTHER_BITS, OFFSET_BITS)
    parameters = np.stack([multiplier, offset], axis=-1).astype(np.float64)
    kept = ("NumChannels", "PE", "numInputVectors", "ActVal", "numSteps", "inputDataType", "outputDataType")
    attributes = {key: op.get_nodeattr(key) for key in kept}
    attributes |= {"iterations": uses} if indexed else {}
    constant = f"{node.input[1]}_writable"
    made = helper.make_node(
        _TYPES[node.op_type],
        [node.input[0], constant, *node.input[2:]],
        list(node.output),
        name=alternative_name(node, _TYPES[node.op_type]),
        domain=DOMAIN,
        backend="fpgadataflow",
        shift=shift,
        ties_to_even=int(found.ties_to_even),
        multiplier_bits=multiplier_bits,
        offset_bits=offset_bits,
        channel_wise=1,
        runtime_writeable_weights=1,
        normalisation=name,
        **attributes,
    )
    put_in_place(model, node, Alternative(made, {constant: (parameters if indexed else parameters[0], PARAMETER_TYPE)}))
    return {**arrays, "lowest": values.lowest, "highest": values.highest}
