"""A test bench for FIFO sizing: the accelerator's timing, with FIFO depths that are chosen per run."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.ode_loop.schedule import choose_frames_in_flight
from finn_flow.fifo_sizing.sizes import LoopTiming
from finn_flow.netlist.emit import Instruments, Pace, count_name
from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.structure import Stream
from finn_flow.netlist.write import write_netlist
from finn_flow.simulation.accelerator import AcceleratorRun, Frames, SimulatedAccelerator
from finn_flow.verilator import Stall


class SizingBench:
    """Runs a hardware graph's timing (`KeepOneLane`) with any depths of its FIFOs; a context manager.

    It is built once: the depths, and whether words come at the network's pace, are settings of a run.

    Parameters
    ----------
    model
        As for `write_netlist`, with a FIFO in every stream between two nodes.
    fpgapart
        Device name.
    clk_ns
        Clock period in ns.

    Attributes
    ----------
    netlist
        Of the timing.
    streams
        Of each FIFO, by its name, the stream that it takes in.
    place_of
        Of each stream out of a FIFO, as `module.stream`, the name of the FIFO.
    loop_of
        Of each FIFO, by its name, the loop in whose body it stands, or "".
    """

    def __init__(self, model: ModelWrapper, fpgapart: str, clk_ns: float) -> None:
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="fifo_sizing_")))
        self.netlist = write_netlist(model, folder, fpgapart, clk_ns, carries_data=False)
        consumers = {stream.consumer: stream for stream in self.netlist.graph_streams().values()}
        self.loop_of = {node.name: node.loop for node in self.netlist.fifos()}
        self.streams: dict[str, Stream] = {name: consumers[name] for name in self.loop_of}
        self.place_of = {
            f"{module}.{name}": stream.producer
            for (module, name), stream in self.netlist.graph_streams().items()
            if stream.producer in self.loop_of
        }
        self._accelerator = self._stack.enter_context(SimulatedAccelerator(self.netlist, _instruments(self.netlist)))

    @property
    def words(self) -> dict[str, int]:
        """Words per pass through each FIFO, by its name."""
        return {name: stream.words for name, stream in self.streams.items()}

    def __enter__(self) -> SizingBench:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(
        self,
        frames: int,
        depths: Mapping[str, int],
        paced: bool = False,
        stall: Stall | None = None,
        **options: Any,
    ) -> AcceleratorRun:
        """Send so many frames through the accelerator.

        Parameters
        ----------
        depths
            In words, of every FIFO by name; 0 is no FIFO.
        paced
            Whether the input, and each loop's body, receives words evenly at the pace of the slowest node.
        options
            As for `Accelerator.run`.

        Raises
        ------
        SimulationHang
            The accelerator hangs.
        """
        self._accelerator.adjust(depths, paced)
        return self._accelerator.run(_random_frames(self.netlist, frames), stall=stall, **options)

    def occupancies(self, run: AcceleratorRun) -> dict[str, int]:
        """Return the greatest occupancy of each FIFO in a run, in words by name."""
        return {name: run.result.probes[count_name(name)] for name in self.streams}

    def loop_timings(self, depths: Mapping[str, int]) -> tuple[LoopTiming, ...]:
        """Measure with one frame how long a word of the last pass, which comes from the loop itself, is in the body."""
        netlist = self.netlist
        if not netlist.loops:
            return ()
        run = self.run(1, depths, paced=True, record_transfers=True)
        timings = []
        for loop in netlist.loops.values():
            entering, leaving = (_last_pass(run, tap, loop.iterations) for tap in _body_ends(netlist, loop.name))
            latency = int((leaving - entering).max())
            frames = choose_frames_in_flight(latency, loop.body_ii_cycles)
            timings.append(LoopTiming(loop.name, loop.iterations, loop.body_ii_cycles, latency, frames))
        return tuple(timings)


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
    """Return pacers at the accelerator's input and every loop's body, taps at all streams, adjustable FIFOs."""
    top = netlist.modules[netlist.top]
    pacers = {(top.name, name): Pace(top.streams[name].words, netlist.expected_cycles_per_frame) for name in top.inputs}
    for loop in netlist.loops.values():
        words = netlist.modules[loop.name].streams["to_body"].words
        pacers[loop.name, "to_body"] = Pace(words, loop.body_ii_cycles)
    fifos = tuple(node.name for node in netlist.fifos())
    return Instruments(taps=frozenset(netlist.graph_streams()), adjustable_fifos=fifos, pacers=pacers)


def _last_pass(run: AcceleratorRun, tap: tuple[str, str], iterations: int) -> Any:
    cycles = run.tap(tap).transfer_cycles
    if cycles is None:
        raise ValueError("transfers were not recorded")
    return cycles.reshape(iterations, -1)[-1]
