"""The first tensor at which two forms of a network differ."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from custom_ops.graph_execution import run_nodes
from finn_flow.transformations.bodies import LOOP_OPS, loop_body
from finn_flow.transformations.hardware_graph import ORIGINS
from finn_flow.transformations.interface import per_channel
from finn_flow.transformations.quantiser import QUANTISERS, read_quantiser

Context = dict[str, NDArray]

UNDECIDED = 2.0**-10
"""Distance from a rounding boundary, in codes, below which the model's own float32 rounding decides."""


@dataclass(frozen=True)
class Difference:
    """Where two forms first differ.

    Parameters
    ----------
    node
        In the form that is checked, with its loop and iteration.
    frame, channel
        Of the first element that differs.
    got, expected
        Its codes.
    count
        Elements of the tensor that differ, of all frames.
    largest
        The greatest difference in codes.
    """

    node: str
    frame: int
    channel: int
    got: int
    expected: int
    count: int
    largest: int

    def __str__(self) -> str:
        return (
            f"{self.node}, channel {self.channel} of frame {self.frame} is {self.got} instead of {self.expected}; "
            f"{self.count} elements differ, by up to {self.largest}"
        )


@dataclass
class Undecided:
    """Frames in which the model's own float32 rounding decides: they differ by one code, next to a rounding boundary.

    Parameters
    ----------
    frames
        Their numbers.
    node
        Where the first of them differs; "" if there is none.
    """

    frames: set[int] = field(default_factory=set)
    node: str = ""

    def add(self, frames: Iterable[int], node: str) -> None:
        """Note that `frames` differ at `node`; what they give behind it says nothing more."""
        added = set(frames)
        self.node = self.node or (node if added else "")
        self.frames |= added


def find_in_integers(
    float_model: ModelWrapper, integers: ModelWrapper, values: NDArray[np.float32], codes: NDArray[np.int64]
) -> tuple[Difference | None, Undecided]:
    """Return where the integer graph first differs from the quantised floats that it comes from.

    Both have the batch of `values` [N, ...]; tensors of the same name correspond. The frames that rounding decides are
    returned beside it, and left out behind the quantiser where it does.
    """
    undecided = Undecided()
    floats = {float_model.graph.input[0].name: values}
    difference = _walk_integers(float_model, integers, floats, _entry(integers, codes), "", undecided)
    return difference, undecided


def _walk_integers(
    float_model: ModelWrapper, integers: ModelWrapper, floats: Context, entry: Context, where: str, undecided: Undecided
) -> Difference | None:
    expected, got = run_nodes(float_model, floats), run_nodes(integers, entry)
    quantisers = {node.output[0]: node for node in float_model.graph.node if node.op_type in QUANTISERS}
    loops = {node.output[0]: node for node in float_model.graph.node if node.op_type in LOOP_OPS}
    for node in integers.graph.node:
        name = node.output[0]
        difference = None
        if name in loops:
            difference = _walk_loop(loops[name], node, expected, got, undecided)
        elif name in quantisers and float_model.get_initializer(quantisers[name].input[0]) is None:
            difference = _compare_codes(float_model, quantisers[name], expected, got[name], where, undecided)
        if difference is not None:
            return difference
    return None


def _compare_codes(
    model: ModelWrapper, quantiser: NodeProto, expected: Context, got: NDArray, where: str, undecided: Undecided
) -> Difference | None:
    values = expected[quantiser.output[0]]
    if values.shape != got.shape:  # joined to constant channels, which the integers do not have
        return None
    scale = per_channel(np.ravel(read_quantiser(model, quantiser).scale).tolist(), values.ndim, np.float64)
    wanted = np.rint(values / scale).astype(np.int64)
    errors = np.abs(got.astype(np.int64) - wanted)
    errors[list(undecided.frames)] = 0
    before = expected[quantiser.input[0]].astype(np.float64) / scale
    to_boundary = np.abs(before - np.floor(before) - 0.5)
    certain = np.where((errors == 1) & (to_boundary < UNDECIDED), 0, errors)
    rows = errors.reshape(len(errors), -1).any(axis=1) & ~certain.reshape(len(errors), -1).any(axis=1)
    name = f"{where}{quantiser.name}"
    undecided.add(np.flatnonzero(rows).tolist(), name)
    return _difference(name, wanted, got, certain)


def _walk_loop(
    float_loop: NodeProto, loop: NodeProto, expected: Context, got: Context, undecided: Undecided
) -> Difference | None:
    bodies = loop_body(float_loop), loop_body(loop)
    states = expected[float_loop.input[0]], got[loop.input[0]]
    for iteration in range(getCustomOp(loop).get_nodeattr("iterations")):
        floats = _pass(bodies[0], float_loop, expected, states[0], iteration)
        codes = _pass(bodies[1], loop, got, states[1], iteration)
        where = f"{loop.name}, iteration {iteration}, "
        difference = _walk_integers(*bodies, floats, codes, where, undecided)
        if difference is not None:
            return difference
        states = _end(bodies[0], floats), _end(bodies[1], codes)
    return None


def _pass(body: ModelWrapper, node: NodeProto, context: Context, state: NDArray, iteration: int) -> Context:
    """Return the inputs of a body for one iteration: the state, and the iteration's row of each stacked parameter."""
    entry, *parameters = [value.name for value in body.graph.input]
    rows = zip(parameters, node.input[1:], strict=True)
    return {entry: state, **{name: context[stacked][iteration] for name, stacked in rows}}


def _end(body: ModelWrapper, inputs: Context) -> NDArray:
    return run_nodes(body, inputs)[body.graph.output[0].name]


def find_in_hardware(integers: ModelWrapper, hardware: ModelWrapper, codes: NDArray[np.int64]) -> Difference | None:
    """Return where the hardware graph first differs from the integer graph; both have the batch of `codes`."""
    channels_last = np.moveaxis(codes, 1, -1).reshape(len(codes), *hardware.get_tensor_shape(_first(hardware))[1:])
    entry = {_first(hardware): channels_last.astype(np.float32)}
    return _walk_hardware(integers, hardware, _entry(integers, codes), entry, "")


def _walk_hardware(
    integers: ModelWrapper, hardware: ModelWrapper, entry: Context, hardware_entry: Context, where: str
) -> Difference | None:
    expected, got = run_nodes(integers, entry), run_nodes(hardware, hardware_entry)
    origins: dict[str, str] = json.loads(hardware.get_metadata_prop(ORIGINS) or "{}")
    loops = {node.output[0]: node for node in integers.graph.node if node.op_type in LOOP_OPS}
    for node in hardware.graph.node:
        for name in node.output:
            origin = origins.get(name)
            if origin is None or origin not in expected:
                continue
            # What is inside of several bodies has no origin: their loop is compared as a whole.
            if origin in loops and node.op_type in LOOP_OPS and getCustomOp(node).get_nodeattr("bodies") == 1:
                difference = _walk_hardware_loop(loops[origin], node, expected, got)
                if difference is not None:
                    return difference
            wanted = expected[origin]
            rows = np.moveaxis(wanted, 1, -1) if wanted.ndim > 2 else wanted
            found = got[name].reshape(rows.shape)
            back = np.moveaxis(found, -1, 1) if wanted.ndim > 2 else found
            errors = np.abs(back.astype(np.int64) - wanted.astype(np.int64))
            difference = _difference(f"{where}{node.name}", wanted.astype(np.int64), back, errors)
            if difference is not None:
                return difference
    return None


def _walk_hardware_loop(
    loop: NodeProto, hardware_loop: NodeProto, expected: Context, got: Context
) -> Difference | None:
    body, hardware_body = loop_body(loop), loop_body(hardware_loop)
    state, hardware_state = expected[loop.input[0]], got[hardware_loop.input[0]]
    names = [value.name for value in hardware_body.graph.input]
    for iteration in range(getCustomOp(loop).get_nodeattr("iterations")):
        entry = _pass(body, loop, expected, state, iteration)
        index = np.array([iteration], dtype=np.float32)
        hardware_entry = dict(zip(names, (hardware_state, index), strict=False))
        where = f"{hardware_loop.name}, iteration {iteration}, "
        difference = _walk_hardware(body, hardware_body, entry, hardware_entry, where)
        if difference is not None:
            return difference
        state, hardware_state = _end(body, entry), _end(hardware_body, hardware_entry)
    return None


def _first(model: ModelWrapper) -> str:
    return str(model.graph.input[0].name)


def _entry(integers: ModelWrapper, codes: NDArray[np.int64]) -> Context:
    return {_first(integers): codes.astype(np.float32)}


def _difference(node: str, expected: NDArray[np.int64], got: NDArray, errors: NDArray[np.int64]) -> Difference | None:
    """Return the first of the `errors` of a tensor [N, channels, ...], if there is one."""
    if not errors.any():
        return None
    index = tuple(int(n) for n in np.argwhere(errors)[0])
    return Difference(
        node,
        index[0],
        index[1] if len(index) > 1 else 0,
        int(got[index]),
        int(expected[index]),
        int(np.count_nonzero(errors)),
        int(errors.max()),
    )
