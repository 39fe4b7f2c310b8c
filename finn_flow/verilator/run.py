"""Running words through a design: `simulate`."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finn_flow.progress import Advance, task
from finn_flow.verilator.design import Design, StreamPort
from finn_flow.verilator.errors import SimulationHang, StuckStream
from finn_flow.verilator.model import DONE, HUNG, Simulation, StreamPlan
from finn_flow.verilator.stall import Stall
from finn_flow.verilator.words import Words

MAX_IDLE_CYCLES = 100_000
_NEVER = 2**63
# One call into C++ is about this long, so that progress shows and an interrupt from the keyboard is heard.
_SLICE_SECONDS = 0.25


@dataclass(frozen=True)
class StreamResult:
    """What happened on one stream.

    Parameters
    ----------
    transactions
        Words transferred.
    stalled_cycles
        Cycles with TVALID and without TREADY, until the stream's last word.
    starved_cycles
        Cycles with TREADY and without TVALID, until the stream's last word.
    first_cycle, last_cycle
        Of the first and the last transfer; cycle 0 is the first one after reset.
    frame_end_cycles
        int64 [frames], the cycle of each frame's last word.
    transfer_cycles
        int64 [transactions], the cycle of each word, when it was asked for.
    surplus_words
        Output words beyond those expected, seen in the `drain_cycles` at the end.
    """

    transactions: int
    stalled_cycles: int
    starved_cycles: int
    first_cycle: int
    last_cycle: int
    frame_end_cycles: npt.NDArray[np.int64]
    transfer_cycles: npt.NDArray[np.int64] | None
    surplus_words: int


@dataclass(frozen=True)
class SimulationResult:
    """The outcome of `simulate`.

    Parameters
    ----------
    outputs
        uint8 [n_words, word_bytes] per output; bits above the stream's width are 0.
    cycles
        Cycles from reset to the last transfer, inclusive.
    streams
        By name, inputs and outputs.
    probes
        The design's probes after the last cycle.
    log
        What the RTL printed.
    seconds
        Wall-clock time of the run, without building.
    model_seconds
        The part of it spent in Verilator's code, in a profiled run.
    """

    outputs: dict[str, Words]
    cycles: int
    streams: dict[str, StreamResult]
    probes: dict[str, int] = field(default_factory=dict)
    log: str = ""
    seconds: float = 0.0
    model_seconds: float | None = None


def simulate(
    design: Design,
    inputs: Mapping[str, Words],
    outputs: Mapping[str, int],
    *,
    stall: Stall | None = None,
    words_per_frame: Mapping[str, int] | None = None,
    idle_between_frames: int = 0,
    frames_in_flight: int | None = None,
    max_idle_cycles: int = MAX_IDLE_CYCLES,
    reset_at_cycle: int | None = None,
    drain_cycles: int = 0,
    record_transfers: bool = False,
    random_seed: int | None = None,
    trace: Path | None = None,
    profile: bool = False,
    progress: Advance | None = None,
) -> SimulationResult:
    """Build `design` if needed, send `inputs` into it and collect `outputs` words from each output.

    Parameters
    ----------
    inputs
        uint8 [n_words, word_bytes] for every input of the design, as `pack` makes them.
    outputs
        Number of words expected, for every output of the design.
    stall
        Pauses of sources and sinks; none by default.
    words_per_frame
        Frame length of a stream in words; a stream that is not named is one frame.
    idle_between_frames
        Cycles that each source waits after a frame's last word.
    frames_in_flight
        Start a frame only while fewer than this many frames have not left all outputs yet; 1 sends them one at a time.
    max_idle_cycles
        Cycles without any transfer (beyond `idle_between_frames`) after which the design hangs.
    reset_at_cycle
        Assert reset in this cycle, drop what came out so far, and send everything again from the start.
    drain_cycles
        Cycles to run on with ready outputs, counting words nobody expected.
    record_transfers
        Record every transfer's cycle.
    random_seed
        Start registers and memories that have no initial value with random values.
    trace
        Write a VCD waveform here.
    profile
        Measure the time spent in Verilator's code (slows the run down).
    progress
        Called several times a second with the words received so far and those expected, over all outputs.

    Raises
    ------
    SimulationHang
        Nothing moves any more; it names the stuck streams.
    SimulationError
        The RTL reported an error.
    SimulationBuildError, UserError
        As `build`.
    ValueError
        Words and the design's streams do not match.
    """
    plans = _plans(design, inputs, outputs, words_per_frame or {}, idle_between_frames, record_transfers)
    stall = stall or Stall.none()
    _check_patterns(design, stall)
    limit = max_idle_cycles + idle_between_frames
    with Simulation(design, trace, random_seed) as simulation:
        started = time.perf_counter()
        simulation.reset()
        simulation.start(plans, stall, frames_in_flight or 0)
        if reset_at_cycle is not None:
            if run_plans(simulation, plans, limit, stop_at=reset_at_cycle, profile=profile) == DONE:
                raise ValueError(f"reset_at_cycle={reset_at_cycle} must be before the end in cycle {simulation.cycle}")
            simulation.reset()
            simulation.start(plans, stall, frames_in_flight or 0)
        with task("simulating", "words") as work:
            run_plans(simulation, plans, limit, profile=profile, progress=progress or work.advance)
        cycles = simulation.cycle
        simulation.drain(drain_cycles)
        return SimulationResult(
            outputs={port.name: _masked(plans[port.name].words, port.width_bits) for port in design.outputs},
            cycles=cycles,
            streams={name: _stream_result(simulation, name, plan) for name, plan in plans.items()},
            probes={name: simulation.probe(name) for name in design.probes},
            log=simulation.log,
            seconds=time.perf_counter() - started,
            model_seconds=simulation.model_seconds if profile else None,
        )


def run_plans(
    simulation: Simulation,
    plans: Mapping[str, StreamPlan],
    max_idle_cycles: int,
    *,
    stop_at: int = _NEVER,
    profile: bool = False,
    progress: Advance | None = None,
) -> int:
    """Run a simulation that was started with `plans`, in slices, to the end or to cycle `stop_at`.

    Returns
    -------
    int
        DONE or PAUSED.

    Raises
    ------
    SimulationHang, SimulationError
        As `simulate`.
    """
    outputs = [stream.name for stream in simulation.design.outputs]
    expected = sum(len(plans[name].words) for name in outputs)
    slice_cycles = 1 << 14
    while True:
        until = min(simulation.cycle + slice_cycles, stop_at)
        started = time.perf_counter()
        status = simulation.run(until, max_idle_cycles, profile)
        if progress is not None:
            progress(sum(simulation.stream(name).transferred for name in outputs), expected)
        if status == HUNG:
            raise _hang(simulation, plans, max_idle_cycles)
        if status == DONE or until == stop_at:
            return status
        if time.perf_counter() - started < _SLICE_SECONDS / 2:
            slice_cycles *= 2


def _hang(simulation: Simulation, plans: Mapping[str, StreamPlan], idle_cycles: int) -> SimulationHang:
    """Return the error that names the streams with outstanding words."""
    design = simulation.design
    stuck = []
    for streams, is_input in ((design.inputs, True), (design.outputs, False)):
        for stream in streams:
            state, expected = simulation.stream(stream.name), len(plans[stream.name].words)
            if state.transferred < expected:
                left = StuckStream(
                    stream.name, is_input, state.transferred, expected, bool(state.valid), bool(state.ready)
                )
                stuck.append(left)
    return SimulationHang(design.top, stuck, simulation.cycle, idle_cycles)


def _plans(
    design: Design,
    inputs: Mapping[str, Words],
    outputs: Mapping[str, int],
    words_per_frame: Mapping[str, int],
    idle_between_frames: int,
    record_transfers: bool,
) -> dict[str, StreamPlan]:
    """One plan per stream, checked against the design."""
    for what, given, streams in (("inputs", inputs, design.inputs), ("outputs", outputs, design.outputs)):
        names = {stream.name for stream in streams}
        if set(given) != names:
            raise ValueError(f"{design.top}: {what} must be given for {sorted(names)}, not for {sorted(given)}")
    unknown = set(words_per_frame) - set(inputs) - set(outputs)
    if unknown:
        raise ValueError(f"{design.top}: words_per_frame names streams that do not exist: {sorted(unknown)}")
    words = {stream.name: _checked_words(stream, inputs[stream.name]) for stream in design.inputs}
    words |= {port.name: np.zeros((outputs[port.name], port.word_bytes), np.uint8) for port in design.outputs}
    plans = {}
    for name, data in words.items():
        frame = words_per_frame.get(name)
        if frame is not None and frame < 1:
            raise ValueError(f"{design.top}: words_per_frame of {name} must be positive, not {frame}")
        plans[name] = stream_plan(data, frame, idle_between_frames if name in inputs else 0, record_transfers)
    return plans


def stream_plan(
    words: Words, words_per_frame: int | None = None, idle_between_frames: int = 0, record_transfers: bool = False
) -> StreamPlan:
    """Return the plan to send or to fill `words`; without `words_per_frame` they are one frame."""
    frame = words_per_frame or max(1, len(words))
    return StreamPlan(
        words=words,
        words_per_frame=frame,
        frame_end_cycles=np.zeros(len(words) // frame, np.int64),
        transfer_cycles=np.zeros(len(words), np.int64) if record_transfers else None,
        idle_between_frames=idle_between_frames,
    )


def _checked_words(stream: StreamPort, words: Words) -> Words:
    """Return the words of an input as a contiguous array.

    Raises
    ------
    ValueError
        Wrong type or shape, or bits above the stream's width.
    """
    array = np.asarray(words)
    if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] != stream.word_bytes:
        raise ValueError(
            f"{stream.name}: words must be uint8 [n, {stream.word_bytes}], not {array.dtype} {list(array.shape)}"
        )
    if stream.width_bits % 8 and np.any(array[:, -1] >> (stream.width_bits % 8)):
        raise ValueError(f"{stream.name}: words must not have bits above bit {stream.width_bits - 1}")
    return np.ascontiguousarray(array)


def _check_patterns(design: Design, stall: Stall) -> None:
    """Refuse stall patterns for streams that do not exist."""
    unknown = set(stall.patterns) - {stream.name for stream in (*design.inputs, *design.outputs)}
    if unknown:
        raise ValueError(f"{design.top}: stall patterns name streams that do not exist: {sorted(unknown)}")


def _masked(words: Words, width_bits: int) -> Words:
    """Return the words with the padding above `width_bits` cleared."""
    if width_bits % 8:
        words[:, -1] &= (1 << (width_bits % 8)) - 1
    return words


def _stream_result(simulation: Simulation, name: str, plan: StreamPlan) -> StreamResult:
    """Return the counters of one stream."""
    state = simulation.stream(name)
    return StreamResult(
        transactions=state.transferred,
        stalled_cycles=state.stalled,
        starved_cycles=state.starved,
        first_cycle=state.first_cycle,
        last_cycle=state.last_cycle,
        frame_end_cycles=plan.frame_end_cycles,
        transfer_cycles=plan.transfer_cycles,
        surplus_words=state.surplus,
    )
