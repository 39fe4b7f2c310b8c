"""Memory contents as hexadecimal words, and how many primitives a memory takes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_MERGED_ROMS = ((2, 0.1), (4, 0.4), (8, 0.7))
"""LUTs per bit of a word of a small ROM by its words."""


def hex_word(values: NDArray[np.int64], bits: int) -> str:
    """Return `values` packed into one hexadecimal word, two's complement, the first in the least significant bits."""
    word = 0
    for value in reversed(values.tolist()):
        word = (word << bits) | (value & ((1 << bits) - 1))
    return f"{word:0{math.ceil(len(values) * bits / 4)}x}"


def luts_of_memory(width_bits: int, depth: int) -> int:
    """Return LUTs of a distributed memory: 64 words by one bit in a LUT, for one write and one read port."""
    return math.ceil(width_bits * math.ceil(depth / 64))


def luts_of_rom(width_bits: int, depth: int) -> float:
    """Return LUTs of a memory that is only read: one of 64 words by one bit, or of 32 words by two bits.

    Small ones merge with the logic behind them; their figures are fitted to open synthesis.
    """
    merged = next((share for words, share in _MERGED_ROMS if depth <= words), None)
    if merged is not None:
        return width_bits * merged
    return width_bits * (0.5 if depth <= 32 else math.ceil(depth / 64))


def bram_18k(width_bits: int, depth: int) -> int:
    """Return 18 kbit block RAMs of a simple dual-port memory, in the aspect ratio that needs the fewest."""
    shapes = [(36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)]
    return min(math.ceil(width_bits / width) * math.ceil(depth / words) for width, words in shapes)
