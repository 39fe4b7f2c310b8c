"""Folding for a frame rate: every node as little parallel as the cycle budget allows."""

from __future__ import annotations

from dataclasses import dataclass

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.folding.options import Folding, apply_folding, folding_cycles, legal_foldings, parallelism
from finn_flow.transformations.bodies import loop_body, loops, set_loop_body


@dataclass(frozen=True)
class Limit:
    """A node that cannot meet its budget: its name, the budget and the fewest cycles that it can do."""

    node: str
    budget_cycles: int
    best_cycles: int


def fold_for_cycles(model: ModelWrapper, cycles_per_frame: int) -> list[Limit]:
    """Fold all nodes so that a frame takes at most ``cycles_per_frame``, where a body runs once per iteration.

    Each node gets the least parallel of its legal foldings within its budget, which is the frame's divided by the
    iterations of the loop around it; equally parallel ones are told apart by what they cost around them. Nodes without
    multipliers take over the width of the word that arrives if it is within budget, which saves width converters.
    Returns the nodes that miss their budget at their most parallel, slowest first.
    """
    limits = _fold_nodes(model, cycles_per_frame, 1)
    for node in loops(model):
        instance = getCustomOp(node)
        body = loop_body(node)
        limits += _fold_nodes(body, cycles_per_frame // instance.get_nodeattr("iterations"), 1)
        set_loop_body(node, body)
        ends = [getCustomOp(body.graph.node[0]).get_folded_input_shape(0)[-1]]
        ends.append(getCustomOp(body.find_producer(body.graph.output[0].name)).get_folded_output_shape(0)[-1])
        instance.set_nodeattr("PE", max(ends))
    return sorted(limits, key=lambda limit: limit.budget_cycles - limit.best_cycles)


def _fold_nodes(model: ModelWrapper, budget: int, entry_elements: int) -> list[Limit]:
    limits = []
    words: dict[str, int] = {}
    for node in model.graph.node:
        options = legal_foldings(node)
        if options:
            arriving = words.get(node.input[0], entry_elements)
            folding, cycles = _choose(node, options, budget, arriving)
            apply_folding(node, folding)
            if cycles > budget:
                limits.append(Limit(node.name, budget, cycles))
        instance = getCustomOp(node)
        for i, name in enumerate(node.output):
            words[name] = instance.get_folded_output_shape(i)[-1]
    return limits


def _choose(node: NodeProto, options: list[Folding], budget: int, arriving: int) -> tuple[Folding, int]:
    timed = [(folding, folding_cycles(node, folding)) for folding in options]
    within = [(folding, cycles) for folding, cycles in timed if cycles <= budget]
    if not within:
        return min(timed, key=lambda option: (option[1], parallelism(option[0])))
    if node.op_type != "MVAU_rtl" and node.op_type != "DepthwiseConv_rtl":
        same_width = [option for option in within if option[0].get("PE", option[0].get("SIMD")) == arriving]
        if same_width:
            return same_width[0]
    return min(within, key=lambda option: _cost(option[0], arriving))


def _cost(folding: Folding, arriving: int) -> tuple[int, bool, int, bool]:
    """Less is better: hardware, then DSPs (they do four small products for PEs in fours), then thresholds behind it."""
    pe = folding.get("PE", 1)
    return parallelism(folding), pe % 4 != 0, pe, folding.get("SIMD", arriving) != arriving
