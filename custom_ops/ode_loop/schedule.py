"""Timing of the looped stage: latencies of its core, how many frames to interleave, what a frame costs.

Words used here: the *initiation interval* of the body is the number of cycles after which it can take the next frame;
its *latency* is the delay from taking word k of a frame to giving word k, the greatest over all words of a frame that
goes through an empty body at full speed. For a body that runs at an even pace that is its first-output latency, from
the first word in to the first word out. `tests/custom_ops/test_ode_loop_rtl.py` holds every function here against the
RTL.
"""

from __future__ import annotations

import math
from fractions import Fraction

LOOP_LATENCY_CYCLES = 4
"""From a word that leaves the body to the same word going into it again: feedback FIFO 3, merge 1."""

INPUT_LATENCY_CYCLES = 4
"""From a word that enters the empty stage to the same word going into the body: input FIFO 3, merge 1."""

OUTPUT_LATENCY_CYCLES = 1
"""From a word of the last pass that leaves the body to the same word leaving the stage."""


def choose_frames_in_flight(first_output_latency_cycles: int, ii_cycles: int) -> int:
    """Return the fewest frames that, interleaved, keep the body busy: ceil((latency + LOOP_LATENCY_CYCLES) / ii).

    With that many frames a frame is back before its turn comes again, so the merge always finds a frame at a boundary
    as long as new ones keep coming; one more would only need memory. A body that gives its words in bursts (row by row)
    must be described by its latency as defined at the top, not by its first word alone.

    Parameters
    ----------
    first_output_latency_cycles
        The body's latency, >= 0.
    ii_cycles
        The body's initiation interval, >= 1.
    """
    return max(1, math.ceil((first_output_latency_cycles + LOOP_LATENCY_CYCLES) / ii_cycles))


def cycles_per_frame(iterations: int, latency_cycles: int, ii_cycles: int, frames_in_flight: int) -> Fraction:
    """Return the average cycles per frame in steady state, frames following back to back.

    (iterations - 1) · max(ii, (latency + LOOP_LATENCY_CYCLES) / frames_in_flight) + ii: frames_in_flight frames share
    the way round the loop; a frame's last pass goes out and the next frame takes its place at once.
    With `choose_frames_in_flight` (or more) this is iterations · ii, exactly; it is exact for one frame too.
    With too few, but more than one, it is an upper bound: new frames then also find gaps between the others.
    """
    per_pass = max(Fraction(ii_cycles), Fraction(latency_cycles + LOOP_LATENCY_CYCLES, frames_in_flight))
    return (iterations - 1) * per_pass + ii_cycles


def lone_frame_latency_cycles(iterations: int, latency_cycles: int, ii_cycles: int, last_word_cycles: int) -> int:
    """Return the cycles from the first word taken to the last word given for a frame that meets an empty stage.

    Parameters
    ----------
    last_word_cycles
        From the body's first word in to its last word out, for one frame.
    """
    per_pass = max(ii_cycles, latency_cycles + LOOP_LATENCY_CYCLES)
    return INPUT_LATENCY_CYCLES + (iterations - 1) * per_pass + last_word_cycles + OUTPUT_LATENCY_CYCLES
