"""`simulate`: the whole accelerator in Verilator, held against golden results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finn_flow.api.building import Build
from finn_flow.api.result import Result
from finn_flow.errors import UserError
from finn_flow.progress import Progress, unheard
from finn_flow.tables import Table

if TYPE_CHECKING:
    from finn_flow.simulation.check import CheckResult


@dataclass(frozen=True)
class Simulation(Result):
    """A simulation that was held against golden results.

    Parameters
    ----------
    check
        What was counted.
    stall, seed
        Probability of a pause in a cycle, and its seed.
    """

    check: CheckResult
    stall: float
    seed: int

    @property
    def exact(self) -> bool:
        """Whether every label and logit is the golden one."""
        return self.check.mismatches == 0

    def tables(self) -> tuple[Table, ...]:
        """Return the figures."""
        found = self.check
        rows: dict[str, str] = {"frames": f"{found.frames:,}", "mismatches": f"{found.mismatches:,}"}
        if found.correct is not None:
            rows["accuracy"] = f"{100 * found.correct / found.frames:.1f} %, on {found.frames:,} images"
        if found.cycles_per_frame is not None and found.frames_per_second is not None:
            rows["cycles per frame (steady state)"] = f"{found.cycles_per_frame:,.1f}"
            rows[f"frames per second at {1e3 / found.clk_ns:g} MHz"] = f"{found.frames_per_second:,.0f}"
        rows["latency of the first frame"] = f"{found.first_frame_latency_cycles:,} cycles"
        rows["simulated"] = f"{found.cycles:,} cycles in {found.seconds:.1f} s"
        rows["simulated cycles per second"] = f"{found.cycles / found.seconds:,.0f}"
        return (Table(f"Simulation against {found.golden}", ("figure", "value"), list(rows.items())),)

    def lines(self) -> tuple[str, ...]:
        """Return where it differs, if it does."""
        first = self.check.first_mismatch
        return () if first is None else (f"Frame {first['frame']} differs: {first['message']}",)

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        return {**self.check.to_json(), "stall": self.stall, "seed": self.seed}


def simulate(
    build: Build | str | Path,
    golden: str | Path | None = None,
    *,
    frames: int | None = None,
    stall: float = 0.0,
    seed: int = 1,
    expected: str | Path | None = None,
    trace: str | Path | None = None,
    progress: Progress = unheard,
) -> Simulation:
    """Simulate an accelerator cycle by cycle and compare every label and logit.

    Parameters
    ----------
    build
        A build with a netlist, or its folder.
    golden
        Golden file of `export`, or `.npy` with the model's inputs; by default the build's own; without one random
        images and the hardware graph.
    frames
        Frames to send; by default all golden ones, or 16 random ones.
    stall
        Probability, 0 to below 1, that a source or sink pauses in a cycle.
    seed
        Of the pauses and of random images.
    expected
        The outputs for a `.npy`; by default `expected_output.npy` beside it.
    trace
        Write the waveform here: `.fst`, or `.vcd`.
    progress
        Receives lines.

    Raises
    ------
    UserError
        No netlist, golden files that do not fit, a value out of range.
    FlowError
        No compiler, or the accelerator hangs.
    """
    from finn_flow.simulation.check import check_accelerator
    from finn_flow.verilator import Stall

    if not 0 <= stall < 1:
        raise UserError(f"--stall must be at least 0 and below 1, not {stall}")
    pauses = Stall.random(stall, stall, seed) if stall else Stall.none()
    folder = build.folder if isinstance(build, Build) else Path(build)
    files = [None if path is None else Path(path) for path in (golden, expected, trace)]
    found = check_accelerator(folder, files[0], frames, pauses, progress, seed, files[1], files[2])
    return Simulation(found, stall, seed)
