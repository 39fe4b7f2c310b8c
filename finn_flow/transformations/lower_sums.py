"""Integer forms of a quantiser behind a function of two integer tensors: a solver's update, a residual addition."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.errors import UserError
from finn_flow.transformations.additive_tables import (
    FRACTION_BITS,
    SumIntervals,
    fixed_point_tables,
    thresholds_on_sums,
)
from finn_flow.transformations.elementwise import Expression, evaluate, sources_of, split_sum
from finn_flow.transformations.integer_graph import DOMAIN, Codes, IntegerGraph, Pending, integer_type
from finn_flow.transformations.negate_weights import readers
from finn_flow.transformations.quantiser import Quantiser
from finn_flow.transformations.step_nodes import emit_steps, emit_table
from finn_flow.transformations.thresholds import Steps

Integers = NDArray[np.int64]

MOST_PAIRS = 1 << 20
"""Pairs of codes of two operands; each is looked at, in every channel and iteration that differ."""
MOST_FRACTION_BITS = 12
MOST_FUSED_STEPS = 511
"""Thresholds up to which a table of steps is merged into the thresholds before it."""


def lower_sum(
    model: ModelWrapper, node: NodeProto, pending: Pending, quantiser: Quantiser, graph: IntegerGraph
) -> Codes:
    """Write a quantised function of two codes as round(x/2^j + y/2^k), saturated, proven equal for every pair of codes.

    x and y are the codes themselves or tables of them. Tried in this order: both are the codes, which is so for scales
    whose ratios are powers of two; one is and the other has a table; both have tables; thresholds on a sum of tables.

    Raises
    ------
    UserError
        There are no such tables, or too many codes to prove them for.
    """
    first, second = pending.sources
    if pending.positions:
        raise UserError(
            f"{node.name}: adds a layer with constant channels to another tensor; quantise that layer first"
        )
    for source in (first, second):
        if source.scale.ndim:
            raise UserError(f"{node.name}: operand {source.name} has a scale per channel; quantise it with one scale")
    if quantiser.scale.size != 1:
        raise UserError(f"{node.name}: a sum needs one scale for all its channels, not {quantiser.scale.size}")
    if first.count * second.count > MOST_PAIRS:
        wide = max(pending.sources, key=lambda source: source.count)
        raise UserError(
            f"{node.name}: operand {wide.name} of the sum before it is not quantised to few bits (it has "
            f"{wide.count:,} codes); put a quantiser on it, as in z = q(z + q(f(z)))"
        )
    codes = _codes_of_pairs(pending, quantiser)
    form = next(_forms(codes, pending.sources, quantiser), None)
    if form is None:
        return _thresholds_on_sum(model, node, pending, codes, quantiser, graph)
    (x, x_bits), (y, y_bits) = form
    operands = [_tabulated(model, node, source, table, graph) for source, table in ((first, x), (second, y))]
    dtype = integer_type(quantiser.lowest, quantiser.highest)
    emitted = helper.make_node(
        "ODEUpdate",
        [operand.name for operand in operands],
        [node.output[0]],
        domain=DOMAIN,
        state_fraction_bits=x_bits,
        fraction_bits=y_bits,
        lowest=quantiser.lowest,
        highest=quantiser.highest,
    )
    bounds = quantiser.lowest, quantiser.highest
    scale = np.float64(quantiser.scale.item())
    return graph.add(emitted, pending.shape, dtype, np.asarray(scale), bounds)


def _thresholds_on_sum(
    model: ModelWrapper,
    node: NodeProto,
    pending: Pending,
    codes: Integers,
    quantiser: Quantiser,
    graph: IntegerGraph,
) -> Codes:
    """Thresholds on the sum of two tables of fixed-point numbers: the float32 operands of the addition in the graph.

    What follows an addition rises with the exact sum of its float32 operands, its own rounding included, so with enough
    fraction bits there are thresholds that are right for every pair.
    """
    split = split_sum(pending.expression)
    parts = [] if split is None else [part for part in split[:2] if len(sources_of(part)) == 1]
    if split is None or len(parts) != 2:
        raise UserError(
            f"{node.name}: what it makes of {' and '.join(s.name for s in pending.sources)} is no sum or difference of "
            "a function of each; quantise the two apart and add them"
        )
    by_name = {source.name: source for source in pending.sources}
    sources = [by_name[next(iter(sources_of(part)))] for part in parts]
    values = [_values(part, source) for part, source in zip(parts, sources, strict=True)]
    if split[2]:
        values[1] = -values[1]
    if any(value.shape[:3] != (1, 1, 1) for value in values):
        raise UserError(
            f"{node.name}: adds tensors that are scaled per channel or per iteration; quantise each before the addition"
        )
    oriented = codes if sources[0] is pending.sources[0] else codes.swapaxes(-1, -2)
    numbers = [value[0, 0, 0].astype(np.float64) / float(quantiser.scale.item()) for value in values]
    for tables in fixed_point_tables(*numbers):
        sums = tables[0][:, np.newaxis] + tables[1]
        thresholds = thresholds_on_sums(oriented, sums, (quantiser.lowest, quantiser.highest))
        if thresholds is not None:
            return _emit_sum(model, node, sources, tables, thresholds, pending.shape, quantiser, graph)
    raise UserError(
        f"{node.name}: float32 rounding decides what it makes of some sums of {sources[0].name} and {sources[1].name}, "
        "in a way that no thresholds give; use scales whose ratio is a power of two"
    )


def _emit_sum(
    model: ModelWrapper,
    node: NodeProto,
    sources: list[Codes],
    tables: tuple[Integers, Integers],
    thresholds: Integers,
    shape: tuple[int, ...],
    quantiser: Quantiser,
    graph: IntegerGraph,
) -> Codes:
    """Add the tables, their plain sum and the thresholds on it; a table of multiples by a power of two is a shift."""
    operands, shifts = [], []
    for source, table in zip(sources, tables, strict=True):
        codes = np.arange(int(source.lowest.min()), int(source.highest.max()) + 1)
        shift = next((n for n in range(MOST_FRACTION_BITS) if np.array_equal(codes << n, table)), None)
        shifts.append(shift or 0)
        operands.append(
            source if shift is not None else _tabulated(model, node, source, table.reshape(1, 1, 1, -1), graph)
        )
    name = graph.fresh(f"{node.output[0]}_sum")
    low, high = (int(sum(reach(table) for table in tables)) for reach in (np.min, np.max))
    emitted = helper.make_node(
        "ODEUpdate",
        [operand.name for operand in operands],
        [name],
        domain=DOMAIN,
        state_fraction_bits=-shifts[0],
        fraction_bits=-shifts[1],
        lowest=low,
        highest=high,
    )
    total = graph.add(emitted, shape, integer_type(low, high), np.asarray(1.0), (low, high))
    bounds, scale = (quantiser.lowest, quantiser.highest), np.asarray(np.float64(quantiser.scale.item()))
    return emit_steps(node, node.output[0], total, Steps(thresholds), bounds, scale, graph)


def _values(part: Expression, source: Codes) -> NDArray[np.float32]:
    codes = np.arange(int(source.lowest.min()), int(source.highest.max()) + 1).reshape(1, 1, 1, -1)
    return evaluate(part, {source.name: codes})


def _codes_of_pairs(pending: Pending, quantiser: Quantiser) -> Integers:
    """Return the right code for each pair: [iterations or 1, positions or 1, channels or 1, first, second]."""
    first, second = (np.arange(int(s.lowest.min()), int(s.highest.max()) + 1) for s in pending.sources)
    pairs = {
        pending.sources[0].name: np.repeat(first, second.size).reshape(1, 1, 1, -1),
        pending.sources[1].name: np.tile(second, first.size).reshape(1, 1, 1, -1),
    }
    codes = quantiser.codes(evaluate(pending.expression, pairs))
    return codes.reshape(*codes.shape[:3], first.size, second.size)


_Operand = tuple[Integers | None, int]
"""A table [iterations, positions, channels, codes], or None for the code itself, and its fraction bits."""


def _forms(codes: Integers, sources: tuple[Codes, ...], quantiser: Quantiser) -> Iterator[tuple[_Operand, _Operand]]:
    """Every form that is right for all pairs, the cheapest to build first."""
    bounds = quantiser.lowest, quantiser.highest
    numbers = [np.arange(int(s.lowest.min()), int(s.highest.max()) + 1) for s in sources]
    ratios = [quantiser.scale.item() / float(source.scale) for source in sources]
    exact = [_exponent(ratio) for ratio in ratios]
    nearest = [_exponent(2.0 ** round(np.log2(ratio))) for ratio in ratios]

    for j, k in {(exact[0], exact[1]), *([(nearest[0], nearest[1])])}:
        if j is not None and k is not None:
            common = max(j, k, 0)
            if SumIntervals.of(codes, bounds, common).hold(numbers[0] << (common - j), numbers[1] << (common - k)):
                yield (None, j), (None, k)
    for swapped in (False, True):
        plain = nearest[1] if swapped else nearest[0]
        if plain is None:
            continue
        oriented = codes.swapaxes(-1, -2) if swapped else codes
        for common in (max(plain, 0), max(plain, 0) + 1):
            shifted = numbers[swapped] << (common - plain)
            table = SumIntervals.of(oriented, bounds, common).second(shifted)
            if table is not None:
                operands: tuple[_Operand, _Operand] = ((None, plain), (table, common))
                yield (operands[1], operands[0]) if swapped else operands
    for common in FRACTION_BITS:
        guesses = [np.rint(n * 2.0**common / ratio).astype(np.int64) for n, ratio in zip(numbers, ratios, strict=True)]
        full = [np.broadcast_to(g, (*codes.shape[:3], g.size)) for g in guesses]
        tables = SumIntervals.of(codes, bounds, common).both(full[0], full[1])
        if tables is not None:
            yield (tables[0], common), (tables[1], common)


def _exponent(ratio: float) -> int | None:
    """Return the exponent of a power of two, None for another number or one that is out of reach."""
    exponent = float(np.log2(ratio))
    return int(exponent) if exponent.is_integer() and abs(exponent) <= MOST_FRACTION_BITS else None


def _tabulated(
    model: ModelWrapper,
    node: NodeProto,
    source: Codes,
    table: Integers | None,
    graph: IntegerGraph,
) -> Codes:
    """Return codes, or what a table makes of them: merged into the thresholds that give the codes, or as a lookup."""
    if table is None:
        return source
    bounds = int(table.min()), max(int(table.max()), int(table.min()) + 1)  # thresholds need a level
    name = graph.fresh(f"{node.output[0]}_{source.name}_steps")
    producer = next((one for one in graph.nodes if source.name in one.output), None)
    rises = bool(np.all(np.diff(table, axis=-1) >= 0))
    if (
        producer is not None
        and producer.op_type == "MultiThreshold"
        and rises
        and bounds[1] - bounds[0] <= MOST_FUSED_STEPS
        and readers(model, source.name) == 1
    ):
        return _fused(node, name, source, producer, table[:, 0], bounds, graph)
    if len(table) > 1:
        raise UserError(
            f"{node.name}: what it adds to the state differs between the iterations in another way than by thresholds; "
            f"quantise {source.name} once, and let nothing else read it"
        )
    return emit_table(name, source, table, int(source.lowest.min()), bounds, source.scale, graph)


def _fused(
    node: NodeProto,
    name: str,
    source: Codes,
    producer: NodeProto,
    table: Integers,
    bounds: tuple[int, int],
    graph: IntegerGraph,
) -> Codes:
    """Thresholds that lead straight to the table's values: each old one as often as the table rises there."""
    before = graph.codes[producer.input[0]]
    parameter = producer.input[1]
    old = graph.new_parameters.get(parameter)
    thresholds = (graph.initializers[parameter][np.newaxis] if old is None else old).astype(np.int64)
    rows, channels = max(len(thresholds), len(table)), max(thresholds.shape[1], table.shape[1])
    thresholds = np.broadcast_to(thresholds, (rows, channels, thresholds.shape[2]))
    table = np.broadcast_to(table, (rows, channels, table.shape[2]))
    always, never = int(before.lowest.min()), int(before.highest.max()) + 1
    levels = np.arange(bounds[0] + 1, bounds[1] + 1)
    fused = np.empty((rows, 1, channels, levels.size), dtype=np.int64)
    for row, channel in np.ndindex(rows, channels):
        reached_by = np.searchsorted(table[row, channel], levels)  # the first code whose value is at least the level
        fused[row, 0, channel] = np.concatenate([[always], thresholds[row, channel], [never]])[reached_by]
    return emit_steps(node, name, before, Steps(fused), bounds, source.scale, graph)
