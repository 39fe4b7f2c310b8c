"""Ends of the graph: a layer's integers, and the factor and offset per channel that make values of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finn_flow.transformations.elementwise import Expression, Operation, Source
from finn_flow.transformations.integer_graph import Codes, Pending, Stacked, Weights

Floats = NDArray[np.float64]
_AFFINE = frozenset({"Add", "Sub", "Mul", "Div", "Neg"})


def as_output(value: Codes | Pending | Stacked | Weights | None) -> tuple[Codes, Floats, Floats] | None:
    """Return the codes of an output, scale and offset: value = code · scale + offset, numbers or per channel.

    None where it is no such function of codes, for instance an activation without a quantiser.
    """
    if isinstance(value, Codes):
        return value, value.scale, np.zeros(1)
    if not isinstance(value, Pending) or len(value.sources) != 1 or value.positions:
        return None
    coefficients = _affine(value.expression)
    if coefficients is None:
        return None
    scale, offset = (np.unique(part) if np.unique(part).size == 1 else np.ravel(part) for part in coefficients)
    return value.sources[0], np.asarray(scale), np.asarray(offset)


def _affine(expression: Expression) -> tuple[Floats, Floats] | None:
    """Factor and offset of an expression, in exact enough arithmetic; None if it has another form."""
    if isinstance(expression, Source):
        return expression.scale.astype(np.float64), np.zeros((1, 1, 1, 1))
    if isinstance(expression, np.ndarray) or expression.node.op_type not in _AFFINE:
        return None
    constants = [operand for operand in expression.operands if isinstance(operand, np.ndarray)]
    inner = [_affine(operand) for operand in expression.operands if isinstance(operand, Source | Operation)]
    if len(inner) != 1 or inner[0] is None or any(constant.shape[0] > 1 for constant in constants):
        return None
    scale, offset = inner[0]
    constant = constants[0].astype(np.float64) if constants else np.ones(1)
    first = bool(constants) and expression.operands[0] is constants[0]
    match expression.node.op_type:
        case "Add":
            return scale, offset + constant
        case "Sub":
            return (-scale, constant - offset) if first else (scale, offset - constant)
        case "Mul":
            return scale * constant, offset * constant
        case "Div":
            return None if first else (scale / constant, offset / constant)
        case _:
            return -scale, -offset
