"""When every node works on which iteration of which frame, and how full the FIFOs are: an accelerator over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finn_flow.netlist.emit import Instruments
from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.structure import INDEX
from finn_flow.progress import Progress, unheard
from finn_flow.simulation.accelerator import AcceleratorRun, SimulatedAccelerator, selected_streams
from finn_flow.simulation.frames import random_frames
from finn_flow.simulation.passes import Pass, loop_passes

Key = tuple[str, str]
Cycles = NDArray[np.int64]

SAMPLES = 240
"""Points in time at which the FIFOs' occupancies are kept."""


@dataclass(frozen=True)
class Span:
    """What a node does for one pass: from the cycle of its first word out to that of its last, inclusive."""

    frame: int
    iteration: int
    first_cycle: int
    last_cycle: int


@dataclass(frozen=True)
class NodeTimeline:
    """A node's passes in the order of time; `loop` is the loop in whose body it is, or ""."""

    name: str
    op: str
    loop: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class FIFOTimeline:
    """A FIFO's words over time, its greatest occupancy in each of `SAMPLES` equal parts of the run."""

    name: str
    loop: str
    depth: int
    occupancy: tuple[int, ...]


@dataclass(frozen=True)
class Timeline:
    """A run of an accelerator over time.

    Parameters
    ----------
    frames
        Frames that were sent, back to back.
    cycles
        From the first word in to the last word out, counted from 0.
    nodes
        In the order of the data.
    """

    frames: int
    cycles: int
    nodes: tuple[NodeTimeline, ...]
    fifos: tuple[FIFOTimeline, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as values for JSON, a span as [frame, iteration, first cycle, last cycle]."""
        nodes = [{**asdict(node), "spans": [list(asdict(span).values()) for span in node.spans]} for node in self.nodes]
        return {"frames": self.frames, "cycles": self.cycles, "nodes": nodes, "fifos": [asdict(f) for f in self.fifos]}


def record_timelines(netlist: Netlist, frames: tuple[int, ...], progress: Progress = unheard) -> list[Timeline]:
    """Simulate an accelerator with every stream watched, once for each number of frames, and return what happened.

    Parameters
    ----------
    frames
        How many to send, back to back; random ones, as time does not depend on data.

    Raises
    ------
    SimulationHang, SimulationBuildError
        As `dsode simulate`.
    """
    streams = [key for key in netlist.graph_streams() if not key[1].startswith(f"{INDEX}_")]
    instruments = Instruments(taps=frozenset(streams) | selected_streams(netlist))
    progress("building the simulation with every stream watched")
    with SimulatedAccelerator(netlist, instruments) as accelerator:
        accelerator.build()
        runs = [accelerator.run(random_frames(netlist, count, seed=1), record_transfers=True) for count in frames]
    return [timeline(netlist, run, count) for run, count in zip(runs, frames, strict=True)]


def timeline(netlist: Netlist, run: AcceleratorRun, frames: int) -> Timeline:
    """Return the timeline of a run in which all streams but the index streams were tapped and their transfers kept."""
    start = min(run.result.streams[name].first_cycle for name in netlist.inputs)
    transfers = {key: _transfers(run, key) - start for key in run.taps}
    passes: dict[str, list[Pass]] = {"": [Pass(frame, 0) for frame in range(frames)]}
    for loop in netlist.loops.values():
        body = netlist.modules[f"{loop.name}_body"]
        entering, leaving = (transfers[body.name, name] for name in (body.inputs[0], body.outputs[0]))
        out = transfers[_output_of(netlist, loop.name)]
        passes[loop.name] = loop_passes(entering, leaving, out, loop.iterations, frames)
    cycles = 1 + max(int(run.frame_end_cycles.max()) - start, *(int(found[-1]) for found in transfers.values()))
    outputs = {stream.producer: key for key, stream in reversed(netlist.graph_streams().items()) if key in transfers}
    nodes = []
    for node in netlist.nodes.values():
        if node.fifo_depth or node.name not in outputs:
            continue
        words = transfers[outputs[node.name]].reshape(len(passes[node.loop]), -1)
        spans = (
            Span(one.frame, one.iteration, int(row[0]), int(row[-1]))
            for one, row in zip(passes[node.loop], words, strict=True)
        )
        nodes.append(NodeTimeline(node.name, node.op_type, node.loop, tuple(spans)))
    return Timeline(frames, cycles, tuple(nodes), tuple(_fifos(netlist, transfers, cycles)))


def _transfers(run: AcceleratorRun, key: Key) -> Cycles:
    found = run.tap(key).transfer_cycles
    if found is None:
        raise ValueError("transfers were not recorded")
    return found


def _output_of(netlist: Netlist, instance: str) -> Key:
    return next(key for key, stream in netlist.graph_streams().items() if stream.producer == instance)


def _fifos(netlist: Netlist, transfers: Mapping[Key, Cycles], cycles: int) -> list[FIFOTimeline]:
    """Return how full each FIFO is: words that went in less words that came out."""
    taken = {stream.consumer: key for key, stream in netlist.graph_streams().items() if key in transfers}
    given = {stream.producer: key for key, stream in netlist.graph_streams().items() if key in transfers}
    found = []
    for node in netlist.fifos():
        changes = np.zeros(cycles + 1, np.int64)
        np.add.at(changes, transfers[taken[node.name]], 1)
        np.add.at(changes, transfers[given[node.name]], -1)
        held = np.maximum(np.cumsum(changes), 0)
        starts = np.linspace(0, cycles, SAMPLES, endpoint=False).astype(int)
        occupancy = np.maximum.reduceat(held[:cycles], np.minimum(starts, cycles - 1))
        found.append(FIFOTimeline(node.name, node.loop, node.fifo_depth, tuple(int(words) for words in occupancy)))
    return found
