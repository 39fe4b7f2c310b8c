"""FIFOs between hardware nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping

from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from custom_ops.hardware import DOMAIN
from finn_flow.transformations.bodies import change_bodies, loop_body, loops, set_loop_body

FIFO = "StreamingFIFO_rtl"
MIN_DEPTH = 2
"""The fewest words that FINN's FIFO can be built for."""


class InsertFIFOs(Transformation):
    """Put a `StreamingFIFO_rtl` between any two hardware nodes, loop bodies included, deep enough for `frames` frames.

    The streams at the ends of the accelerator and of the bodies get none: at the ends of a body stands the loop's own
    FIFO. Name the new nodes with `NameNodes`.
    """

    def __init__(self, frames: int = 1) -> None:
        super().__init__()
        self.frames = frames

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        change_bodies(model, lambda body: body.transform(InsertFIFOs(self.frames)))
        outputs = {value.name for value in model.graph.output}
        readers = {name: (node, slot) for node in model.graph.node for slot, name in enumerate(node.input)}
        nodes: list[NodeProto] = []
        for node in list(model.graph.node):
            nodes.append(node)
            for position, tensor in enumerate(node.output):
                if tensor in outputs or node.op_type == FIFO or readers[tensor][0].op_type == FIFO:
                    continue
                reader, slot = readers[tensor]
                folded = [int(n) for n in getCustomOp(node).get_folded_output_shape(position)]
                buffered = f"{tensor}_buffered"
                fifo = helper.make_node(
                    FIFO,
                    [tensor],
                    [buffered],
                    name=f"FIFO_{tensor}",
                    domain=DOMAIN,
                    backend="fpgadataflow",
                    depth=max(MIN_DEPTH, self.frames * math.prod(folded[:-1])),
                    folded_shape=folded,
                    normal_shape=model.get_tensor_shape(tensor),
                    dataType=model.get_tensor_datatype(tensor).name,
                    ram_style="auto",
                    exec_mode="cppsim",
                )
                nodes.append(fifo)
                reader.input[slot] = buffered
                model.set_tensor_shape(buffered, model.get_tensor_shape(tensor))
                model.set_tensor_datatype(buffered, model.get_tensor_datatype(tensor))
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        return model, False


class SetFIFODepths(Transformation):
    """Give every FIFO, loop bodies included, its depth in words by name; those with depth 0 are removed."""

    def __init__(self, depths: Mapping[str, int]) -> None:
        super().__init__()
        self.depths = depths

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        for node in loops(model):
            set_loop_body(node, loop_body(node).transform(SetFIFODepths(self.depths)))
        readers = {name: (node, slot) for node in model.graph.node for slot, name in enumerate(node.input)}
        for node in [node for node in model.graph.node if node.op_type == FIFO]:
            depth = self.depths[node.name]
            if depth:
                getCustomOp(node).set_nodeattr("depth", depth)
                continue
            reader, slot = readers[node.output[0]]
            reader.input[slot] = node.input[0]
            model.graph.node.remove(node)
        return model, False
