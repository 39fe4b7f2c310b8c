"""What FIFO sizing finds, and which depths follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from finn_flow.transformations.insert_fifos import MIN_DEPTH

SIZES = (33, 65, 129, 257)
"""Depths up to which a FIFO costs the same: 32 words of a shift register, or 64, 128, 256 of LUTRAM, and a register."""

PASSING_OCCUPANCY = 2
"""Words in a FIFO of FINN through which a word per cycle flows without ever waiting: its latency in cycles."""


@dataclass(frozen=True)
class FIFOSize:
    """One FIFO: what it joins, what it was found to hold, and its depth in words (0: not needed, taken out)."""

    name: str
    loop: str
    tensor: str
    width_bits: int
    words_per_frame: int
    max_occupancy: int
    depth: int


@dataclass(frozen=True)
class LoopTiming:
    """One loop: latency of its body (greatest over all words of a pass at full speed) and what follows from it."""

    name: str
    iterations: int
    body_ii_cycles: int
    body_latency_cycles: int
    frames_in_flight: int


@dataclass(frozen=True)
class FIFOSizes:
    """The result of `size_fifos`; `to_json` is its report.

    Parameters
    ----------
    frames
        Frames in each simulation.
    expected_cycles_per_frame
        Of the slowest node.
    reference_cycles_per_frame
        The same, or, where that was too low, measured with FIFOs that hold two frames.
    cycles_per_frame
        Measured with the depths chosen; not more than the reference.
    seeds
        Of the stall patterns under which all frames came out.
    """

    frames: int
    expected_cycles_per_frame: int
    reference_cycles_per_frame: float
    cycles_per_frame: float
    seeds: tuple[int, ...]
    fifos: tuple[FIFOSize, ...]
    loops: tuple[LoopTiming, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the report."""
        return asdict(self)


def fifo_depth(occupancy: int) -> int:
    """Return the depth for a FIFO that held up to `occupancy` words: the next size that costs the same, 0 for none."""
    if occupancy <= PASSING_OCCUPANCY:
        return 0
    return next((size for size in SIZES if size >= occupancy), occupancy)


def depth_candidates(occupancies: Mapping[str, int], words: Mapping[str, int]) -> list[dict[str, int]]:
    """Return the depths to try: as measured; then with no FIFO taken out; then deeper; at last for two frames."""
    measured = {name: fifo_depth(count) for name, count in occupancies.items()}
    scaled = [
        {name: fifo_depth(max(factor * count, PASSING_OCCUPANCY + 1)) for name, count in occupancies.items()}
        for factor in (1, 2, 4)
    ]
    return [measured, *scaled, {name: max(MIN_DEPTH, 2 * words[name]) for name in occupancies}]
