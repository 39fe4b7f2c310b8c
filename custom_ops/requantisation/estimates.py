"""Resources of a requantisation, fitted to open synthesis."""

from __future__ import annotations

from typing import Any

from custom_ops.base import fifo_luts
from custom_ops.fifo_memory import resolve_ram_style
from custom_ops.memory import bram_18k, luts_of_rom


def _in_blocks(op: Any) -> bool:
    style = resolve_ram_style(op.get_nodeattr("ram_style"), op.word_bits, op.depth)
    return op.depth > 1 and style == "block"


def brams_18k(op: Any) -> int:
    """Return the RAMB18 of the parameters."""
    return bram_18k(op.word_bits, op.depth) if _in_blocks(op) else 0


def luts(op: Any) -> int:
    """Return the LUTs of parameters, product and sum, clipping, and output FIFO."""
    lanes, depth = op.get_nodeattr("PE"), op.depth
    memory = 0 if depth == 1 or _in_blocks(op) else luts_of_rom(op.word_bits, depth)
    return round(memory + lanes * 10) + fifo_luts(op.get_outstream_width(), 8) + 12
