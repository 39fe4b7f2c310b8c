"""Depths of FIFOs and frames in flight of loops, from measurements in simulation."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from custom_ops.ode_loop.schedule import choose_frames_in_flight
from finn_flow.netlist.emit import Instruments, Pace, count_name
from finn_flow.netlist.fifo_sizes import FIFOSize, FIFOSizes, LoopTiming, depth_candidates
from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.structure import Stream
from finn_flow.netlist.write import write_netlist
from finn_flow.simulation import Stall
from finn_flow.simulation.accelerator import Accelerator, AcceleratorRun, Frames, final_streams
from finn_flow.transformations.bodies import change_bodies, loops
from finn_flow.transformations.insert_fifos import FIFO, InsertFIFOs, SetFIFODepths
from finn_flow.transformations.name_nodes import NameNodes

Progress = Callable[[str], None]

MIN_FRAMES = 6
SEEDS = (1, 2, 3)


def size_fifos(
    model: ModelWrapper, fpgapart: str, clk_ns: float, progress: Progress = lambda line: None
) -> tuple[ModelWrapper, FIFOSizes]:
    """Insert FIFOs into a folded hardware graph and give them depths, and give its loops their frames in flight.

    1. With FIFOs for whole frames a single frame shows the latency of each loop's body, from which `frames_in_flight`
       follows.
    2. With the input, and each loop's body, fed evenly at the pace of the slowest node, the greatest occupancy of each
       FIFO is what its burstiness needs; the most over a run without stalls and one with pauses at the input. (Fed
       faster, the FIFO before the slowest node would fill up whatever its depth: that is not a need.) FIFOs through
       which words pass without ever waiting are taken out.
    3. The netlist with these depths is simulated, unpaced: every frame comes out, also with random stalls at both ends,
       and takes no more cycles than the slowest node takes by its own estimate or, where that is too low, than with
       FIFOs for two frames. Where that fails, depths grow until it holds.

    Only time is simulated (`KeepOneLane`), as it does not depend on data.

    No deadlock: where a fork and its join enclose a path that needs L words in before it gives the first, the other
    branch held more than L words in step 2 when that first word came, and depths are never below what was held.

    Parameters
    ----------
    model: as for `write_netlist`, without FIFOs; it is not changed.
    progress: receives a line per step.

    Raises
    ------
    SimulationHang: the accelerator hangs.
    """
    deep = model.transform(InsertFIFOs(frames=2)).transform(NameNodes())
    _for_all(deep, lambda node: getCustomOp(node).set_nodeattr("ram_style", "distributed"), FIFO)
    measured = _measure(deep, fpgapart, clk_ns, progress)
    reference = float(measured.expected_cycles_per_frame)
    chosen, *deeper, deepest = depth_candidates(measured.occupancies, {n: s.words for n, s in measured.streams.items()})

    def cycles_with(depths: Mapping[str, int]) -> float:
        progress(f"checking {sum(depth > 0 for depth in depths.values())} FIFOs")
        with _written(_sized(deep, depths), fpgapart, clk_ns) as netlist:
            return _checked_cycles_per_frame(netlist, measured.frame_count)

    cycles = cycles_with(chosen)
    if cycles > reference:
        reference = cycles_with(deepest)
        for depths in (*deeper, deepest):
            if cycles <= reference:
                break
            chosen, cycles = depths, cycles_with(depths)
    return _sized(deep, chosen), measured.sizes(chosen, cycles, reference)


@dataclass(frozen=True)
class _Measured:
    """What the deep FIFOs showed."""

    frame_count: int
    expected_cycles_per_frame: int
    occupancies: dict[str, int]
    streams: dict[str, Stream]
    loop_of: dict[str, str]
    timings: tuple[LoopTiming, ...]

    def sizes(self, depths: Mapping[str, int], cycles_per_frame: float, reference: float) -> FIFOSizes:
        fifos = tuple(
            FIFOSize(name, self.loop_of[name], s.tensor, s.width_bits, s.words, self.occupancies[name], depths[name])
            for name, s in self.streams.items()
        )
        return FIFOSizes(
            self.frame_count,
            self.expected_cycles_per_frame,
            reference,
            cycles_per_frame,
            SEEDS,
            fifos,
            self.timings,
        )


def _measure(deep: ModelWrapper, fpgapart: str, clk_ns: float, progress: Progress) -> _Measured:
    """Measure latencies, set the frames in flight of `deep`, and measure occupancies."""
    while True:
        with _written(deep, fpgapart, clk_ns) as netlist, Accelerator(netlist, _instruments(netlist)) as accelerator:
            progress("measuring the latency of the loops")
            timings = _loop_timings(accelerator)
            if any(netlist.loops[timing.name].frames_in_flight != timing.frames_in_flight for timing in timings):
                _set_frames_in_flight(deep, timings)
                continue
            most = max((timing.frames_in_flight for timing in timings), default=1)
            frames = _random_frames(netlist, max(MIN_FRAMES, 8 * most))
            progress(f"measuring the occupancy of the FIFOs with {len(frames)} frames")
            pauses = Stall.random(p_input=0.5, p_output=0.0, seed=SEEDS[0], burst_cycles=50)
            runs = [accelerator.run(frames, stall=stall) for stall in (Stall.none(), pauses)]
            names = {node.name: node.loop for node in netlist.fifos()}
            consumers = {stream.consumer: stream for stream in netlist.graph_streams().values()}
            return _Measured(
                len(frames),
                netlist.expected_cycles_per_frame,
                {name: max(run.result.probes[count_name(name)] for run in runs) for name in names},
                {name: consumers[name] for name in names},
                names,
                timings,
            )


def _sized(deep: ModelWrapper, depths: Mapping[str, int]) -> ModelWrapper:
    sized = copy.deepcopy(deep)
    _for_all(sized, lambda node: getCustomOp(node).set_nodeattr("ram_style", "auto"), FIFO)
    return sized.transform(SetFIFODepths(depths))


def _for_all(model: ModelWrapper, change: Callable[[Any], None], op_type: str) -> None:
    """Apply `change` to all nodes of a type, those of loop bodies included."""

    def in_body(body: ModelWrapper) -> ModelWrapper:
        _for_all(body, change, op_type)
        return body

    for node in model.graph.node:
        if node.op_type == op_type:
            change(node)
    change_bodies(model, in_body)


@contextmanager
def _written(model: ModelWrapper, fpgapart: str, clk_ns: float) -> Iterator[Netlist]:
    with tempfile.TemporaryDirectory(prefix="fifo_sizing_") as folder:
        yield write_netlist(model, Path(folder), fpgapart, clk_ns, carries_data=False)


def _random_frames(netlist: Netlist, count: int) -> Frames:
    (stream,) = netlist.inputs.values()
    datatype: Any = DataType[stream.datatype]
    low, high = int(datatype.min()), int(datatype.max())
    return np.random.default_rng(0).integers(low, high, (count, *stream.shape[1:]), endpoint=True)


def _body_ends(netlist: Netlist, loop: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the streams into and out of a loop's body."""
    body = netlist.modules[f"{loop}_body"]
    return (body.name, body.inputs[0]), (body.name, body.outputs[0])


def _instruments(netlist: Netlist) -> Instruments:
    """Return pacers at the accelerator's input and every loop's body, taps at the bodies' ends, counters of FIFOs."""
    top = netlist.modules[netlist.top]
    pacers = {(top.name, name): Pace(top.streams[name].words, netlist.expected_cycles_per_frame) for name in top.inputs}
    taps = {*final_streams(netlist)}
    for loop in netlist.loops.values():
        words = netlist.modules[loop.name].streams["to_body"].words
        pacers[loop.name, "to_body"] = Pace(words, loop.body_ii_cycles)
        taps.update(_body_ends(netlist, loop.name))
    return Instruments(taps=frozenset(taps), fifo_counts=True, pacers=pacers)


def _loop_timings(accelerator: Accelerator) -> tuple[LoopTiming, ...]:
    """Measure with one frame how long a word of the last pass, which comes from the loop itself, is in the body."""
    netlist = accelerator.netlist
    if not netlist.loops:
        return ()
    run = accelerator.run(_random_frames(netlist, 1), record_transfers=True)
    timings = []
    for loop in netlist.loops.values():
        entering, leaving = (_last_pass(run, tap, loop.iterations) for tap in _body_ends(netlist, loop.name))
        latency = int((leaving - entering).max())
        frames = choose_frames_in_flight(latency, loop.body_ii_cycles)
        timings.append(LoopTiming(loop.name, loop.iterations, loop.body_ii_cycles, latency, frames))
    return tuple(timings)


def _last_pass(run: AcceleratorRun, tap: tuple[str, str], iterations: int) -> Any:
    cycles = run.tap(tap).transfer_cycles
    if cycles is None:
        raise ValueError("transfers were not recorded")
    return cycles.reshape(iterations, -1)[-1]


def _set_frames_in_flight(model: ModelWrapper, timings: tuple[LoopTiming, ...]) -> None:
    chosen = {timing.name: timing.frames_in_flight for timing in timings}
    for node in loops(model):
        getCustomOp(node).set_nodeattr("frames_in_flight", chosen[node.name])


def _checked_cycles_per_frame(netlist: Netlist, frame_count: int) -> float:
    """Return the cycles per frame without stalls.

    Raises
    ------
    SimulationHang: the accelerator hangs, with or without stalls.
    """
    frames = _random_frames(netlist, frame_count)
    with Accelerator(netlist) as accelerator:
        for seed in SEEDS:
            accelerator.run(frames, stall=Stall.random(0.3, 0.3, seed, burst_cycles=20))
        return accelerator.run(frames).cycles_per_frame
