"""Nodes that compute a function of codes from its steps: thresholds, a table, or a table of thresholds reached."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.core.datatype import DataType

from finn_flow.errors import UserError
from finn_flow.transformations.integer_graph import DOMAIN, Codes, IntegerGraph, Positions, integer_type
from finn_flow.transformations.thresholds import Steps

MOST_STEPS = 4095
"""Thresholds per channel: 12 bits of output."""


def emit_steps(
    node: NodeProto,
    name: str,
    source: Codes,
    steps: Steps,
    bounds: tuple[int, int],
    scale: NDArray[np.float64],
    graph: IntegerGraph,
    positions: Positions = (),
) -> Codes:
    """Add nodes that compute the function with the given `steps`; the values' bounds and scale are the caller's.

    `positions` gives the kind of each pixel where steps differ between kinds.
    """
    thresholds, table = steps.thresholds, steps.table
    count = thresholds.shape[-1]
    if count > MOST_STEPS:
        raise UserError(
            f"{node.name}: needs {count:,} steps per channel, more than {MOST_STEPS}; quantise to at most 12 bits"
        )
    if table is not None and table.shape[:2] != (1, 1):
        if np.any(table != table[:1, :1]):
            raise UserError(
                f"{node.name}: the function before it falls in some iterations and rises in others, or has another "
                "form in each; put a quantiser before what differs between the iterations"
            )
        table = table[:1, :1]
    if table is not None and not count:
        return emit_table(name, source, table, int(source.lowest.min()), bounds, scale, graph)
    lowest = bounds[0] if table is None else 0
    dtype = integer_type(lowest, lowest + count)
    chosen = graph.fresh(name if table is None else f"{name}_step")
    if thresholds.shape[1] > 1:
        thresholding = helper.make_node(
            "PositionThreshold",
            [source.name, _parameter(name, source, thresholds, graph)],
            [chosen],
            domain=DOMAIN,
            positions=positions,
            out_bias=lowest,
        )
    else:
        thresholding = helper.make_node(
            "MultiThreshold",
            [source.name, _parameter(name, source, thresholds[:, 0], graph)],
            [chosen],
            domain="qonnx.custom_op.general",
            out_dtype=dtype,
            out_bias=float(lowest),
            out_scale=1.0,
            data_layout="NCHW"[: len(source.shape)],
        )
    codes = graph.add(thresholding, source.shape, dtype, scale, (lowest, lowest + count))
    return codes if table is None else emit_table(name, codes, table, 0, bounds, scale, graph)


def _parameter(name: str, source: Codes, values: NDArray[np.int64], graph: IntegerGraph) -> str:
    """Add thresholds [.., channels, n], once for all channels where they are the same."""
    if np.all(values == values[..., :1, :]):
        values = values[..., :1, :]
    signed = DataType[graph.dtypes[source.name]].signed()
    dtype = integer_type(min(int(values.min()), int(source.lowest.min())), int(values.max()), signed)
    return graph.add_parameter(f"{name}_thresholds", values, dtype)


def emit_table(
    name: str,
    source: Codes,
    table: NDArray[np.int64],
    lowest: int,
    bounds: tuple[int, int],
    scale: NDArray[np.float64],
    graph: IntegerGraph,
) -> Codes:
    """Add a table [1, 1, channels or 1, codes] of values for the codes of `source` from `lowest` on."""
    values = table[:, 0]
    if np.all(values == values[:, :1]):
        values = values[:, :1]
    dtype = integer_type(*bounds)
    parameter = graph.add_parameter(f"{name}_table", values, dtype)
    lookup = helper.make_node("Lookup", [source.name, parameter], [name], domain=DOMAIN, lowest=lowest)
    return graph.add(lookup, source.shape, dtype, scale, bounds)
