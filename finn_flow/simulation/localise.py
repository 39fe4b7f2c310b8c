"""Finding where an accelerator goes wrong: the first stream that differs, or the first that stops."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.netlist.emit import Instruments, tap_name
from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.structure import Stream
from finn_flow.simulation.accelerator import SimulatedAccelerator
from finn_flow.simulation.stream_values import stream_values
from finn_flow.verilator import SimulationHang, Stall


@dataclass(frozen=True)
class Difference:
    """The first stream, in the order of the data flow, that carries something else than the graph says.

    Parameters
    ----------
    node
        The node that produces it; inside a loop one of its body.
    tensor
        Its tensor.
    iteration
        Pass through the loop's body, None in the outer graph.
    index
        Where in the tensor it first differs.
    got, expected
        The values there.
    count
        Elements of this frame (and pass) that differ.
    lsbs
        The greatest difference.
    """

    node: str
    tensor: str
    iteration: int | None
    index: tuple[int, ...]
    got: int
    expected: int
    count: int
    lsbs: int

    def __str__(self) -> str:
        place = self.node if self.iteration is None else f"{self.node} in iteration {self.iteration}"
        index = ", ".join(str(n) for n in self.index)
        return (
            f"{place}: {self.tensor}[{index}] is {self.got}, not {self.expected}; "
            f"{self.count} elements differ, by up to {self.lsbs} LSBs"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def find_difference(
    netlist: Netlist, model: ModelWrapper, frames: NDArray[np.integer], stall: Stall
) -> tuple[Difference | None, str]:
    """Return where the last of `frames` first differs from the graph, and how that was found.

    The frame goes through alone, with every stream observed. If it comes out right then, all frames go through, and the
    streams of the outer graph are compared (in the loops, frames may interleave).

    Parameters
    ----------
    netlist, model
        The netlist and its graph.
    frames
        Image codes [N, H, W, C]; the last one is wrong, the others came before it.
    stall
        The pauses under which it was wrong.
    """
    alone = _compare(netlist, model, frames[-1:], stall, bodies=True)
    if alone is not None:
        return alone, "the frame alone"
    together = _compare(netlist, model, frames, stall, bodies=False)
    if together is not None:
        return together, f"the frame after {len(frames) - 1} others; alone it comes out right"
    return None, "every stream agrees with the hardware graph, so the graph and the golden results differ"


def _compare(
    netlist: Netlist, model: ModelWrapper, frames: NDArray[np.integer], stall: Stall, bodies: bool
) -> Difference | None:
    keys = [key for key in netlist.graph_streams() if bodies or key[0] == netlist.top]
    with SimulatedAccelerator(netlist, Instruments(taps=frozenset(keys))) as accelerator:
        run = accelerator.run(frames, stall=stall)
    for expected in stream_values(netlist, model, frames[-1], bodies):
        passes = netlist.passes(expected.module)
        position = (len(frames) - 1) * passes + (expected.iteration or 0)
        got = run.taps[expected.module, expected.stream.name][position]
        difference = _difference(expected.stream, expected.iteration, got, expected.values)
        if difference is not None:
            return difference
    return None


def _difference(
    stream: Stream, iteration: int | None, got: NDArray[np.int64], expected: NDArray[np.int64]
) -> Difference | None:
    errors = np.abs(got.reshape(expected.shape) - expected)
    if not errors.any():
        return None
    index = tuple(int(n) for n in np.argwhere(errors)[0])
    return Difference(
        node=stream.producer or "the input",
        tensor=stream.tensor,
        iteration=iteration,
        index=index,
        got=int(got.reshape(expected.shape)[index]),
        expected=int(expected[index]),
        count=int(np.count_nonzero(errors)),
        lsbs=int(errors.max()),
    )


def stuck_streams(netlist: Netlist, frames: NDArray[np.integer], stall: Stall) -> list[str]:
    """Return how far the streams of a hanging accelerator got, those that stopped short, in the order of data flow."""
    streams = netlist.graph_streams()
    names = {tap_name(*key): key for key in streams}
    with SimulatedAccelerator(netlist, Instruments(taps=frozenset(streams))) as accelerator:
        try:
            accelerator.run(frames, stall=stall)
        except SimulationHang as hang:
            stuck = {names[stream.name]: stream for stream in hang.stuck if stream.name in names}
            return [
                f"{streams[key].producer or 'input'} -> {streams[key].consumer or 'output'} ({streams[key].tensor}): "
                f"{stuck[key].transferred} of {stuck[key].expected} words"
                for key in streams
                if key in stuck
            ]
    return []
