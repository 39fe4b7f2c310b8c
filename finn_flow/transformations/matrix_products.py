"""Other units in the place of a matrix-vector unit: adders for constant weights, and cascades of DSPs."""

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
"""Largest matrix that is made of adders: the search for common terms takes seconds here and minutes beyond."""

_Made = tuple[NodeProto, dict[str, tuple[NDArray[np.float64], BaseDataType]]]


def constant_matrix(model: ModelWrapper, node: NodeProto) -> _Made | None:
    """Return a node that multiplies as `node`, an MVAU_rtl, a vector per cycle, by adders alone.

    None if its matrix is too large or no constant, it compares with thresholds, or its types are too wide.
    """
    weights = model.get_initializer(node.input[1])
    if weights is None or weights.size > MOST_WEIGHTS:
        return None
    return _made(node, "ConstantMatrix_rtl", ())


def cascade_mvau(model: ModelWrapper, node: NodeProto) -> _Made | None:
    """Return a node that multiplies as `node`, an MVAU_rtl, at any folding, with its sums in the DSPs.

    None if its matrix is no constant or too large, it compares with thresholds, or its types are too wide.
    """
    if model.get_initializer(node.input[1]) is None:
        return None
    return _made(node, "CascadeMVAU_rtl", ("PE", "SIMD"))


def _made(node: NodeProto, op_type: str, folding: tuple[str, ...]) -> _Made | None:
    op: Any = getCustomOp(node)
    if not op.get_nodeattr("noActivation"):
        return None
    kept = ("MW", "MH", *folding, "numInputVectors", "inputDataType", "weightDataType", "outputDataType")
    made = helper.make_node(
        op_type,
        list(node.input),
        list(node.output),
        domain=DOMAIN,
        backend="fpgadataflow",
        **{key: op.get_nodeattr(key) for key in kept},
    )
    try:
        getCustomOp(made)
    except UserError:  # a type or a size that the node does not take
        return None
    return made, {}
