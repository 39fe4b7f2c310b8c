"""Requantisation whose parameters can be written while it works: memory, core and rows on the accelerator's bus."""

from __future__ import annotations

from typing import Any

from custom_ops.wrapper import PlainPort

SOURCES = (
    "rtl_common/stream_checker.sv",
    "rtl_common/stream_queue.sv",
    "rtl_common/credit_fifo.sv",
    "rtl_common/indexed_pipeline.sv",
    "requantisation/rtl/requantisation_lane.sv",
    "requantisation/rtl/writable_requantisation_lanes.sv",
    "requantisation/rtl/writable_indexed_requantisation.sv",
)
PLAIN_SOURCES = (*SOURCES, "requantisation/rtl/writable_requantisation.sv")
BANKS = 3
"""The built-in parameters, and two sets that are written in turn; see parameter_port."""
MOST_ROWS = 1 << 20
"""Rows that the bus can address."""
BUS_TO_NODES, BUS_FROM_NODES = PlainPort("parameters_in", 100, True), PlainPort("parameters_out", 74, False)


def address_bits(op: Any) -> int:
    """Return the bits of a word's address in a bank."""
    return max(1, (op.words_of_bank - 1).bit_length())


def lane_index_bits(op: Any) -> int:
    """Return the bits of a lane's number in a row's."""
    return max(1, (int(op.get_nodeattr("PE")) - 1).bit_length())


def rows(op: Any) -> int:
    """Return how many rows of the bus are the node's: a power of two."""
    return 1 << (address_bits(op) + lane_index_bits(op))


def row_of(op: Any, index: int, channel: int) -> int:
    """Return the row of a channel in set `index`, counted from the node's first."""
    lanes = int(op.get_nodeattr("PE"))
    fold, lane = divmod(channel, lanes)
    folds = op.words_of_bank // op.sets
    return (index * folds + fold) << lane_index_bits(op) | lane


def memory_files(op: Any, prefix: str, words: list[list[int]], bits: int) -> dict[str, list[str]]:
    """Return a memory file for each lane of words of `bits` bits: all banks start with the built-in ones."""
    digits = (bits + 3) // 4
    missing = (1 << address_bits(op)) - len(words)
    return {
        f"{prefix}_{lane:03d}.dat": [*(f"{word[lane]:0{digits}x}" for word in words), *["0" * digits] * missing] * BANKS
        for lane in range(len(words[0]))
    }
