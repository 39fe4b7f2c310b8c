"""Runs `rtl/ode_loop_bench.sv`: the looped stage around a synthetic body of any latency and speed."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import custom_ops
from custom_ops.ode_loop.op import ODELoop_rtl
from finn_flow.verilator import Design, SimulationResult, Stall, StreamPort, pack, simulate, unpack

SOURCES = [Path(custom_ops.__file__).parent / name for name in ODELoop_rtl.rtl_sources]
BENCH = Path(__file__).parent / "rtl" / "ode_loop_bench.sv"


@dataclass(frozen=True)
class LoopBench:
    """One build of the bench; latency and speed of the body are chosen per run.

    Parameters
    ----------
    body_words
        Words that the body can hold, at least ceil(latency / cycles_per_word) + 1 of every run.
    """

    iterations: int
    frames_in_flight: int
    words_per_frame: int
    pe: int = 2
    bits: int = 6
    body_words: int = 1024

    def design(self) -> Design:
        """Return the design for the simulation engine."""
        width = self.pe * self.bits
        return Design(
            top="ode_loop_bench",
            sources=[*SOURCES, BENCH],
            inputs=[StreamPort("config", 32), StreamPort("in0_V", width)],
            outputs=[StreamPort("out0_V", width)],
            parameters={
                "PE": self.pe,
                "ELEMENT_BITS": self.bits,
                "WORDS_PER_FRAME": self.words_per_frame,
                "ITERATIONS": self.iterations,
                "FRAMES_IN_FLIGHT": self.frames_in_flight,
                "BODY_WORDS": self.body_words,
            },
        )

    def frames(self, count: int) -> np.ndarray:
        """Return `count` frames of random elements [count, words, pe]; the same ones for every call."""
        return _random_frames(count, self.words_per_frame, self.pe, self.bits)

    def expected(self, frames: np.ndarray) -> np.ndarray:
        """Return what the loop makes of `frames`."""
        for index in range(self.iterations):
            frames = ((3 * frames + index + 1) ^ index) % (1 << self.bits)
        return frames

    def run(
        self,
        count: int,
        latency: int,
        cycles_per_word: int = 1,
        spurious: bool = False,
        stall: Stall | None = None,
        replaced_by: Callable[[Design], Design] = lambda design: design,
        **settings: Any,
    ) -> SimulationResult:
        """Send `count` frames through, check every word that comes out, and return the simulation's result.

        `replaced_by` gives the design that stands for the RTL.

        Nothing may come out after the last word; registers and memories without an initial value start at random.
        """
        frames = self.frames(count)
        frame_cycles = 4 * self.iterations * (latency + self.words_per_frame * cycles_per_word)
        config = spurious << 31 | cycles_per_word << 16 | latency
        result = simulate(
            replaced_by(self.design()),
            {"config": pack(np.array([[config]]), 32), "in0_V": pack(frames, self.bits)},
            {"out0_V": count * self.words_per_frame},
            stall=stall or Stall.none(),
            words_per_frame={"config": 1, "in0_V": self.words_per_frame, "out0_V": self.words_per_frame},
            drain_cycles=frame_cycles,
            max_idle_cycles=10_000 + frame_cycles,
            random_seed=1,
            **settings,
        )
        assert result.streams["out0_V"].surplus_words == 0
        found = unpack(result.outputs["out0_V"], self.pe, self.bits, signed=False).reshape(frames.shape)
        np.testing.assert_array_equal(found, self.expected(frames))
        return result


@lru_cache(maxsize=8)
def _random_frames(count: int, words: int, pe: int, bits: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 1 << bits, (count, words, pe))


WINDOW = 12
"""Frames over which steady state is measured: frames leave in groups of up to four, and twelve are whole groups."""


def steady_cycles_per_frame(result: SimulationResult) -> Fraction:
    """Return the average cycles per frame over `WINDOW` frames; as many at the end of the run are left out.

    The last frames of a run have no followers, so a run needs some frames more than two windows.
    """
    ends = result.streams["out0_V"].frame_end_cycles
    return Fraction(int(ends[-1 - WINDOW] - ends[-1 - 2 * WINDOW]), WINDOW)
