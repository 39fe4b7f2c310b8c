"""RTL execution of a hardware op through FINN's simulation interface (the names of `finn.xsi`)."""

from __future__ import annotations

from typing import Any, Protocol

import finn.xsi as finnxsi
import numpy as np
from finn.util.basic import get_watchdog_timeout_cycles
from finn.util.data_packing import npy_to_rtlsim_input, rtlsim_output_to_npy
from numpy.typing import NDArray
from onnx import NodeProto

from custom_ops.checks import to_integers
from custom_ops.streams import Stream
from finn_flow.errors import FlowError


class StreamingNode(Protocol):
    """What is asked here of a node's instance: its streams, and FINN's interface to its simulation."""

    onnx_node: NodeProto

    def input_streams(self) -> list[Stream]: ...
    def output_streams(self) -> list[Stream]: ...
    def get_exp_cycles(self) -> int: ...
    def get_rtlsim(self) -> Any: ...
    def reset_rtlsim(self, sim: Any) -> None: ...
    def close_rtlsim(self, sim: Any) -> None: ...
    def set_nodeattr(self, name: str, value: Any) -> None: ...


def check_frames(op: StreamingNode, context: dict[str, NDArray]) -> int:
    """Return how many frames the dynamic inputs hold on their first axis; an input of one word serves all frames.

    Raises
    ------
    FlowError
        A tensor has another shape than the node's, apart from the number of frames.
    """
    node = op.onnx_node
    frames = 1
    for position, stream in enumerate(op.input_streams()):
        found = np.shape(context[node.input[stream.tensor]])
        if stream.shape == (1,):
            fits = np.prod(found) == 1
        else:
            fits = len(found) == len(stream.shape) and found[1:] == stream.shape[1:] and found[0] % stream.shape[0] == 0
            count = found[0] // stream.shape[0] if fits else 0
            fits = fits and (position == 0 or count == frames)
            frames = count
        if not fits:
            name = node.input[stream.tensor]
            raise FlowError(f"{node.name}: input {name} must have shape {list(stream.shape)}, not {list(found)}")
    return frames


def simulate_frames(op: StreamingNode, context: dict[str, NDArray]) -> None:
    """Run all frames of `context` through the node's RTL, back to back, and put the outputs into `context`."""
    node = op.onnx_node
    frames = check_frames(op, context)
    words: dict[str, list[int]] = {}
    for i, stream in enumerate(op.input_streams()):
        name = node.input[stream.tensor]
        values = to_integers(node.name, f"input {name}", np.asarray(context[name]), stream.datatype)
        if stream.shape == (1,):
            values = np.repeat(values.reshape(1), frames)
        folded = values.reshape(-1, stream.pe).astype(stream.array_type)
        words[f"in{i}"] = npy_to_rtlsim_input(folded, stream.datatype, stream.width_bits)
    outputs = op.output_streams()
    io: dict[str, dict[str, list[int]]] = {"inputs": words, "outputs": {f"out{i}": [] for i in range(len(outputs))}}
    counts = {f"out{i}": frames * stream.words for i, stream in enumerate(outputs)}

    sim = op.get_rtlsim()
    try:
        op.reset_rtlsim(sim)
        cycles = finnxsi.rtlsim_multi_io(
            sim,
            io,
            counts if len(counts) > 1 else counts["out0"],
            sname="_V",
            liveness_threshold=get_watchdog_timeout_cycles(op.get_exp_cycles()),
        )
    finally:
        op.close_rtlsim(sim)
    op.set_nodeattr("cycles_rtlsim", int(cycles))

    for i, (name, stream) in enumerate(zip(node.output, outputs, strict=True)):
        shape = (frames * stream.words, stream.pe)
        bits = stream.datatype.bitwidth()
        values = rtlsim_output_to_npy(io["outputs"][f"out{i}"], None, stream.datatype, shape, stream.width_bits, bits)
        context[name] = np.asarray(values, dtype=stream.array_type).reshape(frames * stream.shape[0], *stream.shape[1:])
