"""Resources of a requantisation, fitted to open synthesis."""

from __future__ import annotations

from typing import Any

from custom_ops.base import fifo_luts
from custom_ops.fifo_memory import resolve_ram_style
from custom_ops.memory import bram_18k, luts_of_rom

_CONTROL, _INDEX_CONTROL = 8, 36
_CLIP, _CLIP_PER_BIT = 5.5, 0.4
_CONSTANT_PRODUCT, _PRODUCT = 0.6, 1.75
"""LUTs per bit of the multiplier and bit of the value: of products with a constant, and with a word of a memory."""
_SMALL_ROM = 0.5
"""LUTs per bit of a word of a memory of up to 32 words."""


def _in_blocks(op: Any) -> bool:
    style = resolve_ram_style(op.get_nodeattr("ram_style"), op.word_bits, op.depth)
    return op.depth > 1 and style == "block"


def brams_18k(op: Any) -> int:
    """Return the RAMB18 of the parameters."""
    return bram_18k(op.word_bits, op.depth) if _in_blocks(op) else 0


def luts(op: Any) -> int:
    """Return the LUTs of parameters, product and sum, clipping, and output FIFO."""
    lanes, depth = op.get_nodeattr("PE"), op.depth
    memory = 0.0
    if depth > 1 and not _in_blocks(op):
        memory = (
            min(luts_of_rom(op.word_bits, depth), _SMALL_ROM * op.word_bits)
            if depth <= 32
            else (luts_of_rom(op.word_bits, depth))
        )
    lane = _CLIP + _CLIP_PER_BIT * op.attribute_datatype("outputDataType").bitwidth()
    if op.get_nodeattr("ties_to_even"):
        lane += op.get_nodeattr("shift") / 5
    if op.get_nodeattr("resType") == "lut":
        per_product = _PRODUCT if depth > 1 else _CONSTANT_PRODUCT
        bits = op.get_nodeattr("multiplier_bits") * op.attribute_datatype("inputDataType").bitwidth()
        lane += per_product * bits
    control = _INDEX_CONTROL if op.sets > 1 else _CONTROL
    return round(memory + lanes * lane) + fifo_luts(op.get_outstream_width(), 8) + control
