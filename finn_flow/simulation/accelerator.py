"""Frames through a whole accelerator, cycle by cycle."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import DataType

from finn_flow.errors import UserError
from finn_flow.netlist.emit import SETTINGS, Instruments, tap_name
from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.structure import Stream
from finn_flow.verilator import Design, SimulationResult, Stall, StreamResult, pack, simulate, unpack
from finn_flow.verilator.build import compile_design

Frames = NDArray[np.integer]

LOGITS = "logits"
"""Name of the tapped logits among the results."""


def input_words(stream: Stream, frames: Frames) -> NDArray[np.uint8]:
    """Return the words of frames of integers [N, ...], N times the stream's shape without its first axis.

    Raises
    ------
    UserError
        The frames have another shape, or values outside the stream's type.
    """
    shape = stream.shape[1:]
    if frames.shape[1:] != shape:
        raise UserError(f"frames must have shape [N, {', '.join(map(str, shape))}], not {list(frames.shape)}")
    datatype = DataType[stream.datatype]
    if frames.size and not (datatype.min() <= frames.min() and frames.max() <= datatype.max()):
        raise UserError(f"values must be {stream.datatype}, not lie between {frames.min()} and {frames.max()}")
    return pack(frames.reshape(-1, stream.pe), stream.bits)


def output_values(stream: Stream, words: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the integers of words as [frames, ...], the stream's shape without its first axis."""
    values = unpack(words, stream.pe, stream.bits, DataType[stream.datatype].signed())
    return values.reshape(-1, *stream.shape[1:])


@dataclass(frozen=True)
class AcceleratorRun:
    """What came out of an accelerator.

    Parameters
    ----------
    netlist
        What was simulated.
    outputs
        Integers [frames, ...] at each output of the top.
    taps
        Integers [frames x passes, ...] at each tapped stream, as (module, stream).
    result
        The engine's counters.
    """

    netlist: Netlist
    outputs: dict[str, NDArray[np.int64]]
    taps: dict[tuple[str, str], NDArray[np.int64]]
    result: SimulationResult

    @property
    def frame_end_cycles(self) -> NDArray[np.int64]:
        """Cycle of each frame's last output word, of all outputs."""
        ends = [self.result.streams[name].frame_end_cycles for name in self.netlist.outputs]
        return np.asarray(np.maximum.reduce(ends))

    @property
    def first_frame_latency_cycles(self) -> int:
        """Cycles from the first input word of the first frame to its last output word."""
        first = min(self.result.streams[name].first_cycle for name in self.netlist.inputs)
        return int(self.frame_end_cycles[0]) - first

    @property
    def results(self) -> dict[str, NDArray[np.int64]]:
        """The outputs by port, and the values of output i as `values_name(i)`; [frames, values] each."""
        found = dict(self.outputs)
        for number, (port, key) in enumerate(zip(self.netlist.outputs, self.netlist.value_streams(), strict=True)):
            if key in self.taps:
                found[values_name(number)] = self.taps[key]
            elif not self.netlist.results[number].labels:
                found[values_name(number)] = self.outputs[port]
        return {name: values.reshape(len(values), -1) for name, values in found.items()}

    @property
    def cycles_per_frame(self) -> float:
        """Cycles per frame in steady state; NaN with fewer than three frames.

        The average over the frames from the second quarter on, without the last ones, which share the loops with fewer
        others. Frames that interleave in a loop leave it in groups, of no more frames than are in it, so it is taken
        over whole groups of any such size where there are enough frames.
        """
        return steady_state_cycles(self.frame_end_cycles, self.netlist)

    def tap(self, key: tuple[str, str]) -> StreamResult:
        """Return the counters of a tapped stream."""
        return self.result.streams[tap_name(*key)]


def values_name(output: int) -> str:
    """Return the name among the results of the values of an output, those that labels are selected from."""
    return f"{LOGITS}_{output}" if output else LOGITS


def selected_streams(netlist: Netlist) -> frozenset[tuple[str, str]]:
    """Return the streams, as (module, stream), that carry values into a selection of labels."""
    streams = netlist.value_streams()
    return frozenset(key for key, form in zip(streams, netlist.results, strict=True) if form.labels)


def steady_state_cycles(frame_end_cycles: NDArray[np.int64], netlist: Netlist) -> float:
    """Return the average distance of the ends, see `AcceleratorRun.cycles_per_frame`."""
    count = len(frame_end_cycles)
    if count < 3:
        return math.nan
    in_flight = [loop.frames_in_flight for loop in netlist.loops.values()]
    alone_at_end = min(sum(in_flight) - len(in_flight), count // 4)
    ends = frame_end_cycles[count // 4 : count - alone_at_end]
    window = len(ends) - 1
    groups = math.lcm(*range(1, max(in_flight, default=1) + 1)), math.lcm(*in_flight)
    window = next((window - window % group for group in groups if group <= window), window)
    return float(ends[-1] - ends[-1 - window]) / window


class SimulatedAccelerator:
    """A netlist with instruments, ready to take frames; a context manager that holds a temporary folder.

    Parameters
    ----------
    netlist
        What to simulate.
    instruments
        What to observe besides the outputs; the logits, where there are any, if not given.
    """

    def __init__(self, netlist: Netlist, instruments: Instruments | None = None) -> None:
        self.netlist = netlist
        self.instruments = instruments or Instruments(taps=selected_streams(netlist))
        self._folder = tempfile.TemporaryDirectory(prefix="instruments_")

    def __enter__(self) -> SimulatedAccelerator:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def design(self) -> Design:
        """The design with its instruments."""
        return self.netlist.design(self.instruments, Path(self._folder.name))

    def adjust(self, depths: Mapping[str, int], paced: bool) -> None:
        """Set for the next runs the depths in words of adjustable FIFOs (0: none), by name, and whether pacers work."""
        (Path(self._folder.name) / SETTINGS).write_text(self.instruments.settings(depths, paced))

    def build(self, trace: bool = False) -> None:
        """Make sure that the simulation is built, with or without waveforms; `run` does so by itself.

        Raises
        ------
        SimulationBuildError
            A tool is missing or refuses the sources.
        """
        compile_design(self.design, trace)

    def run(self, frames: Frames | Mapping[str, Frames], stall: Stall | None = None, **options: Any) -> AcceleratorRun:
        """Send frames [N, H, W, C] through the accelerator.

        Parameters
        ----------
        frames
            For each input by name, or for the only one.
        stall
            Pauses at the accelerator's inputs and outputs; taps never pause.
        options
            Further ones of `finn_flow.simulation.simulate`.

        Raises
        ------
        UserError
            Frames of another shape or type.
        SimulationHang, SimulationError, SimulationBuildError
            As `simulate`.
        """
        netlist = self.netlist
        if not isinstance(frames, Mapping):
            frames = {next(iter(netlist.inputs)): frames}
        count = len(next(iter(frames.values())))
        inputs = {name: input_words(stream, frames[name]) for name, stream in netlist.inputs.items()}
        words = {name: stream.words for name, stream in (*netlist.inputs.items(), *netlist.outputs.items())}
        expected = {name: count * stream.words for name, stream in netlist.outputs.items()}
        streams = netlist.graph_streams()
        stall = stall or Stall.none()
        unhindered = {tap_name(*key): (False,) for key in self.instruments.taps}
        stall = replace(stall, patterns={**stall.patterns, **unhindered})
        for key in self.instruments.taps:
            words[tap_name(*key)] = streams[key].words * netlist.passes(key[0])
            expected[tap_name(*key)] = count * words[tap_name(*key)]
        options = {"max_idle_cycles": netlist.patience_cycles, **options}
        result = simulate(self.design, inputs, expected, words_per_frame=words, stall=stall, **options)
        return AcceleratorRun(
            netlist,
            {name: output_values(stream, result.outputs[name]) for name, stream in netlist.outputs.items()},
            {key: output_values(streams[key], result.outputs[tap_name(*key)]) for key in self.instruments.taps},
            result,
        )
