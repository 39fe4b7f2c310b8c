"""What every stream of a netlist must carry, from executing the hardware graph in Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from custom_ops.graph_execution import run_nodes
from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.structure import Module, Stream
from finn_flow.transformations.bodies import loop_body


@dataclass(frozen=True)
class StreamValues:
    """One frame of one stream.

    Parameters
    ----------
    module, stream
        Where it is.
    iteration
        Pass through the loop's body, None in the outer graph.
    values
        Integers in the shape of the stream.
    """

    module: str
    stream: Stream
    iteration: int | None
    values: NDArray[np.int64]


def stream_values(
    netlist: Netlist, model: ModelWrapper, frame: NDArray[np.integer], bodies: bool = True
) -> Iterator[StreamValues]:
    """Yield what the streams carry for one frame [H, W, C], in the order in which data flows.

    Inside a loop iteration by iteration; the streams of an iteration before those of the next.

    Parameters
    ----------
    model
        The netlist's `graph.onnx`.
    bodies
        Whether to go through the bodies of loops.
    """
    top = netlist.modules[netlist.top]
    context = run_nodes(model, {model.graph.input[0].name: frame[np.newaxis].astype(np.float32)})
    nodes = {node.name: node for node in model.graph.node}
    for stream in top.streams.values():
        if bodies and stream.producer in netlist.loops:
            body = loop_body(nodes[stream.producer])
            state = context[nodes[stream.producer].input[0]]
            module = netlist.modules[f"{stream.producer}_body"]
            yield from _passes(module, body, state, getCustomOp(nodes[stream.producer]).get_nodeattr("iterations"))
        yield StreamValues(top.name, stream, None, _integers(stream, context[stream.tensor]))


def _passes(module: Module, body: ModelWrapper, state: NDArray, iterations: int) -> Iterator[StreamValues]:
    names = [value.name for value in body.graph.input]
    for iteration in range(iterations):
        inputs = dict(zip(names, (state, np.array([iteration], dtype=np.float32)), strict=False))
        context = run_nodes(body, inputs)
        for stream in module.streams.values():
            yield StreamValues(module.name, stream, iteration, _integers(stream, context[stream.tensor]))
        state = context[body.graph.output[0].name]


def _integers(stream: Stream, values: NDArray) -> NDArray[np.int64]:
    return np.rint(values).astype(np.int64).reshape(stream.shape)
