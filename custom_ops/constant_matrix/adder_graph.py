"""A matrix of constants as a graph of adders: every common term of the products is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from da4ml.cmvm import solve
from da4ml.types import CombLogic
from numpy.typing import NDArray

Integers = NDArray[np.int64]

_COPY, _ADD, _SUBTRACT = -1, 0, 1
"""Operations of da4ml's solutions."""


@dataclass(frozen=True)
class Term:
    """A value of the graph, shifted left and maybe negated: `sign * value << shift`."""

    value: int
    shift: int
    negative: bool = False


@dataclass(frozen=True)
class Adder:
    """The sum of two terms, and its least and greatest result."""

    left: Term
    right: Term
    lowest: int
    highest: int


@dataclass(frozen=True)
class AdderGraph:
    """Values are numbered: first the inputs, then the adders in an order in which none needs a later one.

    Parameters
    ----------
    ranges
        Least and greatest value of each input.
    adders
        The adders.
    outputs
        A term per output, or None where all weights are 0.
    """

    ranges: tuple[tuple[int, int], ...]
    adders: tuple[Adder, ...]
    outputs: tuple[Term | None, ...]

    def range_of(self, value: int) -> tuple[int, int]:
        """Return the least and the greatest value of number `value`."""
        if value < len(self.ranges):
            return self.ranges[value]
        adder = self.adders[value - len(self.ranges)]
        return adder.lowest, adder.highest

    def levels(self) -> list[int]:
        """Return how many adders lie before each value, inputs included."""
        levels = [0] * len(self.ranges)
        for adder in self.adders:
            levels.append(1 + max(levels[adder.left.value], levels[adder.right.value]))
        return levels

    def evaluate(self, x: Integers) -> Integers:
        """Return the outputs [..., outputs] for inputs [..., inputs], adder by adder."""
        values = [x[..., number] for number in range(len(self.ranges))]
        for adder in self.adders:
            values.append(_shifted(values, adder.left) + _shifted(values, adder.right))
        zero = np.zeros(x.shape[:-1], dtype=np.int64)
        return np.stack([zero if term is None else _shifted(values, term) for term in self.outputs], axis=-1)


def _shifted(values: Sequence[Integers], term: Term) -> Integers:
    value = values[term.value] << term.shift
    return -value if term.negative else value


def adder_graph(weights: Integers, ranges: Sequence[tuple[int, int]]) -> AdderGraph:
    """Return the graph of `x @ weights` with the fewest adders that da4ml finds.

    Parameters
    ----------
    weights
        [inputs, outputs].
    ranges
        Least and greatest value of each input.
    """
    intervals = [(float(low), float(high), 1.0) for low, high in ranges]
    solution = solve(weights.astype(np.float32), qintervals=intervals)
    builder = _Builder(tuple((int(low), int(high)) for low, high in ranges))
    values: list[tuple[Term | None, int]] = [(Term(number, 0), 0) for number in range(len(ranges))]
    for part in solution.solutions:
        values = builder.append(part, values)
    outputs = tuple(None if term is None else builder.at_scale(term, scale) for term, scale in values)
    return AdderGraph(builder.ranges, tuple(builder.adders), outputs)


_Scaled = tuple[Term | None, int]
"""A term and the power of two that its value is a multiple of: it stands for `term * 2^scale`; None is 0."""


class _Builder:
    """Takes over da4ml's operations, whose values may be fractions, as integers with a power of two beside them."""

    def __init__(self, ranges: tuple[tuple[int, int], ...]) -> None:
        self.ranges = ranges
        self.adders: list[Adder] = []

    def append(self, part: CombLogic, inputs: list[_Scaled]) -> list[_Scaled]:
        """Add the adders of one part of a solution; return its outputs."""
        values: list[_Scaled] = []
        for op in part.ops:
            if op.opcode == _COPY:
                term, scale = inputs[op.id0]
                values.append((term, scale + part.inp_shifts[op.id0]))
            elif op.opcode in (_ADD, _SUBTRACT):
                right, scale = values[op.id1]
                if right is not None and op.opcode == _SUBTRACT:
                    right = Term(right.value, right.shift, not right.negative)
                values.append(self._add(values[op.id0], (right, scale + op.data)))
            else:
                raise AssertionError(f"a matrix of constants needs additions only, not operation {op.opcode}")
        outputs: list[_Scaled] = []
        for index, shift, negative in zip(part.out_idxs, part.out_shifts, part.out_negs, strict=True):
            term, scale = values[index] if index >= 0 else (None, 0)
            if term is not None and negative:
                term = Term(term.value, term.shift, not term.negative)
            outputs.append((term, scale + shift))
        return outputs

    def at_scale(self, term: Term, scale: int) -> Term:
        """Return the term times 2^scale."""
        shift = term.shift + scale
        if shift < 0:
            raise AssertionError("a product of integers is no integer")
        return Term(term.value, shift, term.negative)

    def _add(self, left: _Scaled, right: _Scaled) -> _Scaled:
        if left[0] is None or right[0] is None:
            return right if left[0] is None else left
        # The smaller of both powers of two is the new value's own.
        scales = left[0].shift + left[1], right[0].shift + right[1]
        common = min(scales)
        terms = [
            Term(term.value, scale - common, term.negative)
            for term, scale in zip((left[0], right[0]), scales, strict=True)
        ]
        # One of both is positive, so that it takes one adder or one subtractor; the sign goes on with the result.
        negative = terms[0].negative and terms[1].negative
        if negative:
            terms = [Term(term.value, term.shift) for term in terms]
        lows, highs = zip(*(self._range(term) for term in terms), strict=True)
        self.adders.append(Adder(terms[0], terms[1], sum(lows), sum(highs)))
        return Term(len(self.ranges) + len(self.adders) - 1, 0, negative), common

    def _range(self, term: Term) -> tuple[int, int]:
        number = term.value - len(self.ranges)
        low, high = self.ranges[term.value] if number < 0 else (self.adders[number].lowest, self.adders[number].highest)
        ends = sorted(
            ((-low if term.negative else low) << term.shift, (-high if term.negative else high) << term.shift)
        )
        return ends[0], ends[1]
