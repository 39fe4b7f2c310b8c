"""Memory of the FIFOs (`rtl_common/stream_fifo.sv`): which kind of RAM, and how much of it."""

from __future__ import annotations

import math

from custom_ops.memory import bram_18k, luts_of_memory

RAM_STYLES = ("auto", "distributed", "block", "ultra")
"""Legal values of a RAM-style attribute; the last three are also those of the RTL parameter."""

LUTS_PER_BRAM_18K = 64
"""Exchange rate of the automatic choice."""


def fifo_memory_depth(depth: int) -> int:
    """Return the words in the memory of a `stream_fifo` of `depth` words; two wait in its read pipeline."""
    return max(2, depth - 2)


def uram(width_bits: int, depth: int) -> int:
    """Return the URAM288 (4096 words of 72 bits) of a simple dual-port memory."""
    return math.ceil(width_bits / 72) * math.ceil(depth / 4096)


def resolve_ram_style(style: str, width_bits: int, depth: int) -> str:
    """Return the kind of RAM that "auto" stands for in a memory of `depth` words; other styles stay as they are.

    LUTs where they cost no more than the block RAM they save, else block RAM. URAM is never chosen by itself: it pays
    only for large memories, and whether one is to spare is known to the whole design only.
    """
    if style != "auto":
        return style
    cheap = luts_of_memory(width_bits, depth) <= LUTS_PER_BRAM_18K * bram_18k(width_bits, depth)
    return "distributed" if cheap else "block"
