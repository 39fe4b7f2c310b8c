"""A running simulation: the C interface of `harness.cpp`."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType

import numpy as np

from finn_flow.verilator.build import compile_design
from finn_flow.verilator.design import Design, StreamPort
from finn_flow.verilator.errors import SimulationError
from finn_flow.verilator.stall import Stall
from finn_flow.verilator.words import Words

RESET_CYCLES = 16
DONE, PAUSED, HUNG, FAILED = range(4)
_U64 = ctypes.c_uint64


class _StreamPlan(ctypes.Structure):
    """`StreamPlan` of harness.cpp."""

    _fields_ = (
        ("words", ctypes.c_void_p),
        ("word_count", _U64),
        ("words_per_frame", _U64),
        ("seed", _U64),
        ("pause_after_run", _U64),
        ("pause_after_pause", _U64),
        ("pattern", ctypes.c_char_p),
        ("pattern_length", _U64),
        ("idle_between_frames", _U64),
        ("frame_end_cycles", ctypes.c_void_p),
        ("transfer_cycles", ctypes.c_void_p),
        ("top_byte_mask", _U64),
    )


class StreamState(ctypes.Structure):
    """`StreamState` of harness.cpp: one stream's counters."""

    transferred: int
    surplus: int
    stalled: int
    starved: int
    first_cycle: int
    last_cycle: int
    valid: int
    ready: int
    _fields_ = tuple(
        (name, _U64)
        for name in ("transferred", "surplus", "stalled", "starved", "first_cycle", "last_cycle", "valid", "ready")
    )


@dataclass
class StreamPlan:
    """What one stream does in a run; the arrays are filled or read by the harness.

    Parameters
    ----------
    words
        uint8 [n_words, word_bytes]: what to send, or where received words go.
    words_per_frame
        Frame length in words.
    frame_end_cycles
        int64 [n_words // words_per_frame].
    transfer_cycles
        int64 [n_words], or None.
    idle_between_frames
        For inputs, in cycles.
    """

    words: Words
    words_per_frame: int
    frame_end_cycles: np.ndarray
    transfer_cycles: np.ndarray | None = None
    idle_between_frames: int = 0


class Simulation:
    """One instance of a built design, in reset when it is made; a context manager.

    Parameters
    ----------
    design
        What to simulate.
    trace
        VCD file to write, or None.
    random_seed
        None: registers and memories without an initial value start as 0; else as random values.

    Raises
    ------
    SimulationBuildError, UserError
        As `compile_design`.
    SimulationError
        The RTL reported an error in its initial blocks.
    """

    def __init__(self, design: Design, trace: Path | None = None, random_seed: int | None = None) -> None:
        self.design = design
        self._streams = (*design.inputs, *design.outputs)
        self._library = _load(compile_design(design, trace is not None))
        self._kept: object = None
        paths = [Path(path).absolute() for path in design.data_files]
        encoded = (ctypes.c_char_p * len(paths))(*(f"{path}{'/' if path.is_dir() else ''}".encode() for path in paths))
        seed = 0 if random_seed is None else random_seed % (2**31 - 1) + 1
        self._handle = self._library.harness_create(encoded, len(paths), seed, str(trace).encode() if trace else None)
        self.check()

    def __enter__(self) -> "Simulation":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Run the RTL's final blocks, finish the waveform and free the model."""
        if self._handle:
            self._library.harness_destroy(self._handle)
            self._handle = None

    def reset(self, cycles: int = RESET_CYCLES) -> None:
        """Hold reset for `cycles` cycles with all streams quiet.

        Raises
        ------
        SimulationError
            The RTL reported an error.
        """
        self._library.harness_reset(self._handle, cycles)
        self.check()

    def start(self, plans: Mapping[str, StreamPlan], stall: Stall, frames_in_flight: int = 0) -> None:
        """Set what the streams do from here on, and count cycles from 0 again.

        Parameters
        ----------
        plans
            One per stream of the design.
        frames_in_flight
            An input's frame waits until fewer than this many frames are unfinished; 0: no limit.
        """
        inputs = {stream.name for stream in self.design.inputs}
        rows = (_StreamPlan * len(self._streams))(
            *(_row(stream, plans[stream.name], stall, stream.name in inputs) for stream in self._streams)
        )
        self._library.harness_start(self._handle, rows, frames_in_flight)
        self._kept = (rows, dict(plans))  # the harness points into them

    def run(self, stop_at: int, max_idle_cycles: int, profile: bool = False) -> int:
        """Run until all words are transferred, until cycle `stop_at`, or until nothing moves.

        Returns
        -------
        int
            DONE, PAUSED or HUNG.

        Raises
        ------
        SimulationError
            The RTL reported an error.
        """
        status: int = self._library.harness_run(self._handle, stop_at, max_idle_cycles, int(profile))
        self.check()
        return status

    def drain(self, cycles: int) -> None:
        """Run `cycles` more cycles with all outputs ready, counting surplus words.

        Raises
        ------
        SimulationError
            The RTL reported an error.
        """
        self._library.harness_drain(self._handle, cycles)
        self.check()

    @property
    def cycle(self) -> int:
        """Cycles since `start`."""
        return int(self._library.harness_cycle(self._handle))

    @property
    def model_seconds(self) -> float:
        """Time spent in Verilator's code since `start`, in a profiled run."""
        return float(self._library.harness_model_seconds(self._handle))

    @property
    def log(self) -> str:
        """What the RTL printed so far (the first 64 KiB)."""
        return str(self._library.harness_log(self._handle).decode(errors="replace"))

    def stream(self, name: str) -> StreamState:
        """Return the counters of a stream."""
        state = StreamState()
        index = [stream.name for stream in self._streams].index(name)
        self._library.harness_stream(self._handle, index, ctypes.byref(state))
        return state

    def probe(self, name: str) -> int:
        """Return the present value of one of the design's probes."""
        return int(self._library.harness_probe(self._handle, list(self.design.probes).index(name)))

    def check(self) -> None:
        """Raise `SimulationError` with the RTL's messages, and free the model, when it has reported an error."""
        if self._library.harness_failed(self._handle):
            cycle, log = self.cycle, self.log.strip()
            self.close()
            raise SimulationError(f"{self.design.top}: the RTL reported an error in cycle {cycle}:\n{log}")


def _row(stream: StreamPort, plan: StreamPlan, stall: Stall, is_input: bool) -> _StreamPlan:
    """Return the plan as the harness wants it; pointers go into the plan's arrays."""
    after_run, after_pause = stall.thresholds(is_input)
    pattern = bytes(bool(pause) for pause in stall.patterns.get(stream.name, ()))
    cycles = plan.transfer_cycles
    return _StreamPlan(
        words=plan.words.ctypes.data,
        word_count=len(plan.words),
        words_per_frame=plan.words_per_frame,
        seed=stall.stream_seed(stream.name),
        pause_after_run=after_run,
        pause_after_pause=after_pause,
        pattern=pattern,
        pattern_length=len(pattern),
        idle_between_frames=plan.idle_between_frames,
        frame_end_cycles=plan.frame_end_cycles.ctypes.data,
        transfer_cycles=None if cycles is None else cycles.ctypes.data,
        top_byte_mask=0xFF >> (-stream.width_bits % 8),
    )


@lru_cache(maxsize=256)
def _load(path: Path) -> ctypes.CDLL:
    """Return the shared object with its functions declared."""
    library = ctypes.CDLL(str(path))
    handle = ctypes.c_void_p
    for name, result, arguments in (
        ("create", handle, (ctypes.POINTER(ctypes.c_char_p), _U64, _U64, ctypes.c_char_p)),
        ("destroy", None, (handle,)),
        ("start", None, (handle, ctypes.POINTER(_StreamPlan), _U64)),
        ("reset", None, (handle, _U64)),
        ("run", ctypes.c_int, (handle, _U64, _U64, ctypes.c_int)),
        ("drain", None, (handle, _U64)),
        ("failed", ctypes.c_int, (handle,)),
        ("cycle", _U64, (handle,)),
        ("model_seconds", ctypes.c_double, (handle,)),
        ("log", ctypes.c_char_p, (handle,)),
        ("probe", _U64, (handle, ctypes.c_uint32)),
        ("stream", None, (handle, ctypes.c_uint32, ctypes.POINTER(StreamState))),
    ):
        function = getattr(library, f"harness_{name}")
        function.restype = result
        function.argtypes = arguments
    return library
