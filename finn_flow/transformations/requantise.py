"""Multiplication, addition and shift in the place of a table of thresholds, where they give the same codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.datatype import BaseDataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from custom_ops.hardware import DOMAIN
from custom_ops.requantisation.coefficients import Coefficients, find_coefficients
from custom_ops.requantisation.op import OFFSET_BITS, PARAMETER_TYPE
from finn_flow.transformations.code_ranges import code_range

Integers = NDArray[np.int64]


def requantisation(
    model: ModelWrapper, node: NodeProto
) -> tuple[NodeProto, dict[str, tuple[NDArray[np.float64], BaseDataType]]] | None:
    """Return a node that requantises as `node`, an (Indexed)Thresholding_rtl, compares, with its constant.

    None if some channel of some iteration has no multiplier and offset that give the code of its thresholds for every
    value that can reach it (`find_coefficients`), none that the hardware can hold, or thresholds by kind of pixel.
    """
    op: Any = getCustomOp(node)
    indexed = node.op_type == "IndexedThresholding_rtl"
    if indexed and len(op.get_nodeattr("positions")) > 0:
        return None  # its sets are not iterations only
    thresholds = model.get_initializer(node.input[1]).astype(np.int64)
    found = _coefficients(model, node, thresholds if indexed else thresholds[None], int(op.get_nodeattr("ActVal")))
    if found is None:
        return None
    parameters = np.stack([found.multiplier, found.offset], axis=-1)
    offset_bits = max(int(value).bit_length() for value in parameters[..., 1].flat) + 1
    if offset_bits > OFFSET_BITS:
        return None
    name = f"{node.input[1]}_requantised"
    kept = ("NumChannels", "PE", "numInputVectors", "ActVal", "numSteps", "inputDataType", "outputDataType")
    attributes = {key: op.get_nodeattr(key) for key in kept}
    attributes |= {"iterations": op.get_nodeattr("iterations")} if indexed else {}
    made = helper.make_node(
        "IndexedRequantisation_rtl" if indexed else "Requantisation_rtl",
        [node.input[0], name, *node.input[2:]],
        list(node.output),
        domain=DOMAIN,
        backend="fpgadataflow",
        shift=found.shift,
        ties_to_even=int(found.ties_to_even),
        multiplier_bits=max(1, int(found.multiplier.max()).bit_length()),
        offset_bits=offset_bits,
        channel_wise=int(parameters.shape[1] > 1),
        **attributes,
    )
    values = parameters if indexed else parameters[0]
    return made, {name: (values.astype(np.float64), PARAMETER_TYPE)}


def _coefficients(model: ModelWrapper, node: NodeProto, thresholds: Integers, bias: int) -> Coefficients | None:
    """Of thresholds [iterations, channels or 1, n]; channels that share their thresholds share their coefficients."""
    values = code_range(model, node.input[0]).of_channels(int(getCustomOp(node).get_nodeattr("NumChannels")))
    lowest, highest = values.lowest, values.highest
    if thresholds.shape[1] == 1:
        lowest, highest = lowest.min(keepdims=True), highest.max(keepdims=True)
    shape = thresholds.shape[:2]
    return find_coefficients(thresholds, np.broadcast_to(lowest, shape), np.broadcast_to(highest, shape), bias)
