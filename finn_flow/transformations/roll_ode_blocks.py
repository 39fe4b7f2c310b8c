"""Folding the unrolled steps of ODE solvers into loops."""

from __future__ import annotations

import logging
from itertools import count

from onnx import helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.transformation.general import SortGraph
from qonnx.transformation.infer_shapes import InferShapes

from finn_flow.errors import UserError
from finn_flow.transformations.graph_editing import is_sorted, replace_nodes
from finn_flow.transformations.graph_index import GraphIndex
from finn_flow.transformations.ode_loop_builder import DOMAIN, build_loop
from finn_flow.transformations.repeat_diagnosis import explain_no_block, explain_unrolled
from finn_flow.transformations.repeated_blocks import find_repeated_blocks
from finn_flow.transformations.state_quantiser import check_state_closes

log = logging.getLogger(__name__)


class RollODEBlocks(Transformation):
    """Replace each maximal chain of isomorphic, consecutive subgraphs that share their weights by one ODELoop node.

    The search is structural; no names or metadata count. Subgraphs are *consecutive* if a single tensor, the state,
    leads from each to the next and nothing else leaves them; *isomorphic* if operators, attributes, wiring and
    integer constants agree; they *share their weights* if every constant operand of a convolution or matrix product
    has the same value in all of them, whether through one tensor or through equal ones. Other floating-point
    constants (`STACKABLE_POSITIONS`) may differ between iterations and become parameters of the loop. Executing
    the model gives the same bits before and after.

    Any number of iterations from 2 and any number of blocks will do. Left alone are layers that share a weight but
    do not form such a chain, for instance because a second tensor crosses from one iteration to the next, or because
    an intermediate state is also read elsewhere: that is legal ONNX, and `left_alone` says why for each weight.
    The time taken is linear in the size of the graph: apply this first, on the exported model.

    Parameters
    ----------
    require
        Raise an error if the model holds no ODELoop in the end.

    Raises
    ------
    UserError if a block changes the shape, datatype or scale of its state, or, with `require`, if there is none.
    """

    def __init__(self, require: bool = True) -> None:
        super().__init__()
        self.require = require
        self.left_alone: list[str] = []

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Roll all blocks of `model` in place; a second application finds nothing more."""
        if not is_sorted(model.graph):
            model = model.transform(SortGraph(), make_deepcopy=False, cleanup=False)
        index = GraphIndex(model)
        if any(name not in index.shapes for name in index.tensors):
            model = model.transform(InferShapes(), make_deepcopy=False, cleanup=False)
            index = GraphIndex(model)

        blocks = find_repeated_blocks(index)
        if not blocks:
            if self.require and not model.get_nodes_by_op_type("ODELoop"):
                raise UserError(
                    f"no ODE block found: {explain_no_block(index)}. To build the network without a loop, leave "
                    "finn_flow.steps.frontend.step_roll_ode_blocks out of the configuration"
                )
            self.left_alone = explain_unrolled(index)
            return model, False

        for block in blocks:
            check_state_closes(index, block.states)
        names = {node.name for node in model.graph.node}
        nodes = dict(enumerate(model.graph.node))
        for block in blocks:
            name = next(name for name in map("ODELoop_{}".format, count()) if name not in names)
            names.add(name)
            loop, parameters = build_loop(model, index, block, name)
            model.graph.initializer.extend(parameters)
            for number in block.nodes:
                del nodes[number]
            nodes[min(block.nodes)] = loop
            log.info("%s: rolled %d iterations from '%s'", name, block.iterations, block.states[0])
        replace_nodes(model.graph, (nodes[number] for number in sorted(nodes)))
        model.check_all_tensor_shapes_specified(fix_missing_init_shape=True)
        if DOMAIN not in model.get_opset_imports():
            model.model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
        self.left_alone = explain_unrolled(GraphIndex(model))
        for reason in self.left_alone:
            log.warning("left alone: %s", reason)
        return model, True
