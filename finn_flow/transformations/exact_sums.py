"""Sums of several quantised tensors, two at a time: what float32 adds without rounding becomes a tensor of integers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import helper

from finn_flow.transformations.elementwise import Expression, Operation, Source
from finn_flow.transformations.integer_graph import DOMAIN, Codes, IntegerGraph, Pending, integer_type

EXACT_BELOW = 2**24
"""Sums of multiples of a power of two that stay below so many of them are exact in float32, whatever their order."""

MOST_SHIFT = 12


def gather_sum(pending: Pending, name: str, graph: IntegerGraph) -> Pending | None:
    """Return a function of two tensors as one of their sum, which is added to the graph as `name`.

    None unless a sum of the two, times powers of two, is what the function starts with, and scales are powers of two,
    so that the sum of the codes is all that matters.
    """
    found = _gather(pending.expression, {source.name: source for source in pending.sources}, name, graph)
    if found is None or pending.positions:
        return None
    codes, expression = found
    return replace(pending, sources=(codes,), expression=expression)


def _gather(
    expression: Expression, sources: dict[str, Codes], name: str, graph: IntegerGraph
) -> tuple[Codes, Expression] | None:
    if not isinstance(expression, Operation):
        return None
    dynamic = [operand for operand in expression.operands if not isinstance(operand, np.ndarray)]
    if len(dynamic) == 1:
        found = _gather(dynamic[0], sources, name, graph)
        if found is None:
            return None
        codes, inner = found
        operands = tuple(inner if operand is dynamic[0] else operand for operand in expression.operands)
        return codes, replace(expression, operands=operands)
    terms = [_multiple(operand, sources) for operand in dynamic]
    if expression.node.op_type != "Add" or len(terms) != 2 or terms[0] is None or terms[1] is None:
        return None
    total = _add(terms[0], terms[1], name, graph)
    return None if total is None else (total, total.expression())


def _multiple(expression: Expression, sources: dict[str, Codes]) -> tuple[Codes, float] | None:
    """Return codes and the power of two that they are multiplied by; None for another expression."""
    if isinstance(expression, Source):
        codes = sources[expression.tensor]
        return None if codes.scale.ndim else _power(codes, float(codes.scale))
    if isinstance(expression, np.ndarray) or expression.node.op_type not in ("Mul", "Div"):
        return None
    first, second = expression.operands
    constant, inner = (first, second) if isinstance(first, np.ndarray) else (second, first)
    found = _multiple(inner, sources)
    if found is None or not isinstance(constant, np.ndarray) or constant.size != 1:
        return None
    factor = float(constant.reshape(()))
    if expression.node.op_type == "Div" and (inner is not first or not factor):
        return None
    return _power(found[0], found[1] / factor if expression.node.op_type == "Div" else found[1] * factor)


def _power(codes: Codes, factor: float) -> tuple[Codes, float] | None:
    return (codes, factor) if factor > 0 and np.log2(factor).is_integer() else None


def _add(first: tuple[Codes, float], second: tuple[Codes, float], name: str, graph: IntegerGraph) -> Codes | None:
    unit = min(first[1], second[1])
    shifts = [int(np.log2(factor / unit)) for _, factor in (first, second)]
    lowest, highest = (
        sum(int(pick(codes)) << shift for (codes, _), shift in zip((first, second), shifts, strict=True))
        for pick in (lambda codes: codes.lowest.min(), lambda codes: codes.highest.max())
    )
    if max(shifts) > MOST_SHIFT or max(-lowest, highest) >= EXACT_BELOW:
        return None
    emitted = helper.make_node(
        "ODEUpdate",
        [first[0].name, second[0].name],
        [graph.fresh(name)],
        domain=DOMAIN,
        state_fraction_bits=-shifts[0],
        fraction_bits=-shifts[1],
        lowest=lowest,
        highest=highest,
    )
    return graph.add(emitted, first[0].shape, integer_type(lowest, highest), np.asarray(unit), (lowest, highest))
