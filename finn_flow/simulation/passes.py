"""Which frame and which iteration every pass through a loop's body is, found from when words moved."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custom_ops.ode_loop.schedule import LOOP_LATENCY_CYCLES
from finn_flow.errors import FlowError

_REGISTERS = 4
Cycles = NDArray[np.int64]


@dataclass(frozen=True)
class Pass:
    """One trip of a frame through a body, or through the outer graph (iteration 0)."""

    frame: int
    iteration: int


def loop_passes(entering: Cycles, leaving: Cycles, out: Cycles, iterations: int, frames: int) -> list[Pass]:
    """Return the passes of a loop in their order.

    A loop takes a frame that comes back before a new one, and frames come back in the order in which they left: so a
    pass is of the frame that left first, if that was back when the pass began, else of the next new one. What leaves
    the loop must agree with that.

    Parameters
    ----------
    entering, leaving
        Cycle of each word into and out of the body, [passes x words].
    out
        Cycle of each word out of the loop, [frames x words].
    iterations
        Passes of a frame.
    frames
        Frames that went through.

    Raises
    ------
    FlowError
        What left the loop does not agree.
    """
    count = iterations * frames
    starts, returns = (cycles.reshape(count, -1)[:, 0] for cycles in (entering, leaving))
    # Where a frame comes back at a boundary, its last register may or may not be counted: the ends decide.
    for slack in range(LOOP_LATENCY_CYCLES + 1):
        found = _replay(starts, returns, iterations, frames, LOOP_LATENCY_CYCLES - slack)
        if found is not None and _agrees(found, leaving.reshape(count, -1), out.reshape(frames, -1), iterations):
            return found
    raise FlowError(f"the passes of a loop of {iterations} iterations do not agree with what left it")


def _replay(starts: Cycles, returns: Cycles, iterations: int, frames: int, latency: int) -> list[Pass] | None:
    """Return the passes if a word is back `latency` cycles after it left the body, None if that is impossible."""
    inside: deque[tuple[int, Pass]] = deque()  # pass's number, pass; oldest first
    found: list[Pass] = []
    new = 0
    for number, start in enumerate(starts):
        back = bool(inside) and returns[inside[0][0]] + latency <= start
        if not back and new == frames:
            return None
        if back:
            before = inside.popleft()[1]
            current = Pass(before.frame, before.iteration + 1)
        else:
            current, new = Pass(new, 0), new + 1
        found.append(current)
        if current.iteration < iterations - 1:
            inside.append((number, current))
    return found


def _agrees(found: list[Pass], leaving: Cycles, out: Cycles, iterations: int) -> bool:
    """Whether the words of each frame's last pass leave the body before they leave the loop, frame by frame."""
    last = [number for number, one in enumerate(found) if one.iteration == iterations - 1]
    if len(last) != len(out):
        return False
    # Only a register or two are between: nothing of another pass can be out before.
    after = [leaving[number + 1, 0] if number + 1 < len(leaving) else None for number in last]
    return all(
        bool(np.all(leaving[number] <= words)) and (following is None or int(words[0]) <= int(following) + _REGISTERS)
        for number, words, following in zip(last, out, after, strict=True)
    )
