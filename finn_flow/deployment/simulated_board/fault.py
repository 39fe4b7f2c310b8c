"""Faults that the simulated board can be told to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["memory_error", "no_completion", "short_transfer", "reset"]


@dataclass(frozen=True)
class Fault:
    """One fault, which happens once.

    Parameters
    ----------
    kind
        `memory_error`: the memory answers the channel with an error; the transfer goes on to its end. `no_completion`:
        the channel moves no more data and never gets done. `short_transfer`: the output channel says that it is done,
        and that all frames are there, when they are not. `reset`: the accelerator, not its DMAs, is reset.
    channel
        `idma0` or `odma0`; for `reset`, the one whose frames are counted.
    after_frames
        Frames of the channel's present (or next) transfer before it happens.
    """

    kind: Kind
    channel: Literal["idma0", "odma0"] = "odma0"
    after_frames: int = 0
