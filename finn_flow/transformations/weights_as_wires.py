"""A graph of constant adders in the place of a matrix-vector unit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.datatype import BaseDataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from custom_ops.hardware import DOMAIN
from finn_flow.errors import UserError

MOST_WEIGHTS = 64 * 64
"""Largest matrix that is tried: the search for common terms takes seconds here and minutes beyond."""


def constant_matrix(
    model: ModelWrapper, node: NodeProto
) -> tuple[NodeProto, dict[str, tuple[NDArray[np.float64], BaseDataType]]] | None:
    """Return a node that multiplies as `node`, an MVAU_rtl, a vector per cycle.

    None if its matrix is too large or no constant, it compares with thresholds, or its types are too wide.
    """
    op: Any = getCustomOp(node)
    weights = model.get_initializer(node.input[1])
    if weights is None or weights.size > MOST_WEIGHTS or not op.get_nodeattr("noActivation"):
        return None
    kept = ("MW", "MH", "numInputVectors", "inputDataType", "weightDataType", "outputDataType")
    made = helper.make_node(
        "ConstantMatrix_rtl",
        list(node.input),
        list(node.output),
        domain=DOMAIN,
        backend="fpgadataflow",
        **{key: op.get_nodeattr(key) for key in kept},
    )
    try:
        getCustomOp(made)
    except UserError:  # a type that the node does not take
        return None
    return made, {}
