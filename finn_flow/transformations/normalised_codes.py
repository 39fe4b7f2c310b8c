"""Recognising a batch-norm in front of a quantiser, so that its statistics can be exchanged later."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from finn_flow.transformations.elementwise import Expression, Operation, Source
from finn_flow.transformations.integer_graph import Codes, IntegerGraph, Pending
from finn_flow.transformations.quantiser import Quantiser


def note_normalisation(
    name: str,
    pending: Pending,
    quantiser: Quantiser,
    source: Codes,
    sign: NDArray[np.int64] | None,
    graph: IntegerGraph,
) -> None:
    """Keep what codes `name` are computed from, if that is source · factor + offset, a ReLU perhaps, a quantiser.

    Factor and offset must be those of one of the graph's batch-norms.
    """
    relu, affine = _without_relu(pending.expression)
    parts = _factor_and_offset(affine)
    if parts is None or pending.positions or quantiser.zero_point or quantiser.bipolar or quantiser.rounding != "ROUND":
        return
    origin, *constants = parts
    channels = source.channels
    factor, offset = (_rows(constant, channels) for constant in constants)
    for norm in graph.batch_norms:
        uses = norm.uses_of(factor, offset)
        if uses is None:
            continue
        everywhere = np.ones(channels, np.float32)
        statistics, statistic = np.unique(norm.statistic[uses], return_inverse=True)
        graph.normalisations[name] = {
            "sign": np.broadcast_to(1 if sign is None else sign, (channels,)).astype(np.int64),
            "scale": (origin.scale.reshape(-1) * everywhere).astype(np.float32),
            "weight": norm.weight,
            "bias": norm.bias,
            "shift": norm.shift[uses],
            "gain": norm.gain[uses],
            "epsilon": norm.epsilon,
            "reciprocal": norm.reciprocal,
            "relu": np.array(int(relu)),
            "step": (quantiser.scale.reshape(-1) * everywhere).astype(np.float32),
            "codes": np.array([quantiser.lowest, quantiser.highest]),
            "statistic": statistic.astype(np.int64),
            "mean": norm.mean[statistics],
            "variance": norm.variance[statistics],
        }
        return


def _without_relu(expression: Expression) -> tuple[bool, Expression]:
    if isinstance(expression, Operation) and expression.node.op_type == "Relu":
        return True, expression.operands[0]
    return False, expression


def _factor_and_offset(expression: Expression) -> tuple[Source, NDArray[np.float32], NDArray[np.float32]] | None:
    constants = []
    for kind in ("Add", "Mul"):
        if not isinstance(expression, Operation) or expression.node.op_type != kind:
            return None
        constant = [operand for operand in expression.operands if isinstance(operand, np.ndarray)]
        rest = [operand for operand in expression.operands if not isinstance(operand, np.ndarray)]
        if len(constant) != 1:
            return None
        constants.append(constant[0])
        expression = rest[0]
    return (expression, constants[1], constants[0]) if isinstance(expression, Source) else None


def _rows(constant: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Return a constant [iterations or 1, 1, channels or 1, 1] as [iterations or 1, channels]."""
    return np.broadcast_to(constant[:, 0, :, 0], (len(constant), channels))
