"""Places of writable parameters on the accelerator's bus."""

from __future__ import annotations

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from custom_ops.requantisation import writable
from finn_flow.errors import UserError
from finn_flow.transformations.bodies import loop_body, loops, set_loop_body
from finn_flow.transformations.make_writable import is_writable


class PlaceParameters(Transformation):
    """Give each node with writable parameters, in loop bodies too, its rows: the largest nodes first, without gaps.

    Raises
    ------
    UserError
        There are more rows than the bus can address.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        bodies = [(node, loop_body(node)) for node in loops(model)]
        nodes = [node for graph in (model, *(body for _, body in bodies)) for node in graph.graph.node]
        ops = [getCustomOp(node) for node in nodes if is_writable(node)]
        next_row = 0
        # Powers of two in descending order: each is aligned to its own size.
        for op in sorted(ops, key=writable.rows, reverse=True):
            op.set_nodeattr("parameter_base", next_row)
            next_row += writable.rows(op)
        if next_row > writable.MOST_ROWS:
            raise UserError(f"{next_row:,} rows of writable parameters are more than {writable.MOST_ROWS:,}")
        for node, body in bodies:
            set_loop_body(node, body)
        return model, False
