"""A whole accelerator against golden results: counts, cycles, and where it goes wrong."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.build_folder import GRAPH_FILE, BuildFolder
from finn_flow.errors import FlowError, UserError
from finn_flow.files import atomic_write_json, check_writable_dir
from finn_flow.netlist.netlist import Netlist
from finn_flow.progress import Progress, task, unheard
from finn_flow.simulation.accelerator import AcceleratorRun, SimulatedAccelerator, values_name
from finn_flow.simulation.golden import GoldenFrames, GoldenOutput, load_golden, random_golden
from finn_flow.simulation.localise import find_difference, stuck_streams
from finn_flow.verilator import SimulationHang, Stall

MOST_FRAMES_TO_REPEAT = 20
"""Frames before a wrong one that are sent again to find where it goes wrong; more can hardly matter."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of `check_accelerator`; cycles are those of the run as it was, stalls included.

    Parameters
    ----------
    frames
        Frames compared.
    mismatches
        Frames whose label or logits differ from the golden ones.
    correct
        Frames whose label is the true class, None where that is not known.
    cycles_per_frame
        In steady state; None with fewer than three frames.
    first_frame_latency_cycles
        From the first word in to the last word out.
    cycles
        Of the whole run.
    seconds
        Of the run, without building.
    golden
        Where the golden results are from.
    first_mismatch
        Number of the first wrong frame, what it gave, and where it goes wrong.
    """

    frames: int
    mismatches: int
    correct: int | None
    cycles_per_frame: float | None
    first_frame_latency_cycles: int
    cycles: int
    seconds: float
    build_seconds: float
    clk_ns: float
    golden: str
    first_mismatch: dict[str, Any] | None

    @property
    def frames_per_second(self) -> float | None:
        """Frames per second of the accelerator at its clock."""
        return None if self.cycles_per_frame is None else 1e9 / (self.clk_ns * self.cycles_per_frame)

    def to_json(self) -> dict[str, Any]:
        """Return the object that `dsode simulate --json` prints."""
        return {
            "frames": self.frames,
            "mismatches": self.mismatches,
            "accuracy": None if self.correct is None else self.correct / self.frames,
            "cycles_per_frame": self.cycles_per_frame,
            "first_frame_latency_cycles": self.first_frame_latency_cycles,
            "clock_mhz": 1e3 / self.clk_ns,
            "frames_per_second": self.frames_per_second,
            "simulated_cycles": self.cycles,
            "simulated_cycles_per_second": self.cycles / self.seconds if self.seconds else None,
            "simulation_seconds": self.seconds,
            "build_seconds": self.build_seconds,
            "golden": self.golden,
            "first_mismatch": self.first_mismatch,
        }


def check_accelerator(
    folder: Path,
    golden_path: Path | None = None,
    frames: int | None = None,
    stall: Stall | None = None,
    progress: Progress = unheard,
    seed: int = 1,
    expected: Path | None = None,
    trace: Path | None = None,
) -> CheckResult:
    """Run golden frames, back to back, through the accelerator that a build made, and compare labels and logits.

    The result is also kept among the reports of the folder.

    Parameters
    ----------
    folder
        What `dsode build` wrote.
    golden_path
        A file of `dsode export`, or a `.npy` of the model's input values; by default the build's `golden.npz`, or,
        where it has none, random images and what the hardware graph makes of them in Python.
    frames
        How many, from the start again if there are not enough; all if not given (16 random ones).
    stall
        Random pauses at both ends; none by default.
    progress
        Receives lines for the person who waits.
    seed
        Of random images.
    expected
        The outputs for a `.npy`, `expected_output.npy` beside it if not given.
    trace
        Write the waveform of the run to this `.vcd` file, every node and loop a scope of its own; a few frames are
        plenty.

    Raises
    ------
    UserError
        No build, a golden file that does not fit it, or a waveform of another kind.
    FlowError
        No compiler, or the accelerator hangs (the message says how far each stream got).
    """
    from finn_flow.finn_adapter.environment import ensure_finn

    ensure_finn()
    import custom_ops  # noqa: F401  (registers the hardware ops)

    if trace is not None:
        if trace.suffix != ".vcd":
            raise UserError(f"--trace must end in .vcd, not as {trace} does; GTKWave's vcd2fst makes it .fst")
        check_writable_dir(trace.parent)
    place = BuildFolder(folder)
    netlist = Netlist.load(place.netlist)
    golden_path = golden_path or (place.golden if place.golden.is_file() else None)
    model = ModelWrapper(str(netlist.folder / GRAPH_FILE))
    if golden_path is not None:
        golden = load_golden(golden_path, netlist, expected)
        golden = golden.first(frames or len(golden.frames))
    else:
        golden = random_golden(netlist, model, frames or 16, seed)
    stall = stall or Stall.none()
    progress("building the simulation (the first time takes a while)")
    started = time.perf_counter()
    with SimulatedAccelerator(netlist) as accelerator:
        accelerator.build(trace is not None)
        build_seconds = time.perf_counter() - started
        progress(f"simulating {len(golden.frames)} frames")
        count = len(golden.frames)
        try:
            with task("simulating", "frames") as work:
                run = accelerator.run(
                    golden.frames,
                    stall=stall,
                    trace=trace,
                    progress=lambda done, total: work.advance(done * count // total, count),
                )
        except SimulationHang as hang:
            progress("the accelerator hangs; looking where")
            stuck = stuck_streams(netlist, golden.frames, stall)
            raise FlowError("\n  ".join([f"{hang}", "streams that stopped short:", *stuck])) from hang
    wrong = wrong_frames(run, golden)
    labels = run.results[next(iter(netlist.outputs))][:, 0] if netlist.results[0].labels else None
    first_mismatch = None
    if wrong.any():
        frame = int(np.argmax(wrong))
        progress(f"frame {frame} is wrong; looking where")
        before = golden.frames[max(0, frame - MOST_FRAMES_TO_REPEAT) : frame + 1]
        difference, how = find_difference(netlist, model, before, stall)
        first_mismatch = {
            "frame": frame,
            "label": None if labels is None else int(labels[frame]),
            "expected_label": None if golden.labels is None else int(np.ravel(golden.labels[frame])[0]),
            "difference": difference.to_json() if difference else None,
            "message": f"{how}: {difference}" if difference else how,
        }
    checked = CheckResult(
        frames=len(golden.frames),
        mismatches=int(np.count_nonzero(wrong)),
        correct=None if golden.truth is None or labels is None else int(np.count_nonzero(labels == golden.truth)),
        cycles_per_frame=None if math.isnan(run.cycles_per_frame) else run.cycles_per_frame,
        first_frame_latency_cycles=run.first_frame_latency_cycles,
        cycles=run.result.cycles,
        seconds=run.result.seconds,
        build_seconds=build_seconds,
        clk_ns=netlist.clk_ns,
        golden=golden.source,
        first_mismatch=first_mismatch,
    )
    atomic_write_json(
        place.simulation(stall != Stall.none()), {**checked.to_json(), "stall": stall.p_input, "seed": seed}
    )
    return checked


def wrong_frames(run: AcceleratorRun, golden: GoldenFrames) -> NDArray[np.bool_]:
    """Return which frames differ in a label or a value."""
    expected: dict[str, NDArray[np.int64] | None] = {}
    outputs = (GoldenOutput(golden.labels, golden.logits), *golden.others)
    for number, (port, output) in enumerate(zip(run.netlist.outputs, outputs, strict=False)):
        expected[values_name(number)] = output.logits
        expected[port] = output.labels if run.netlist.results[number].labels else output.logits
    wrong = np.zeros(len(golden.frames), dtype=bool)
    for name, values in expected.items():
        if values is not None:
            wrong |= np.any(run.results[name] != values.reshape(len(values), -1), axis=1)
    return wrong
