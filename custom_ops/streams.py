"""The streams of a hardware op: how a tensor is cut into words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from qonnx.core.datatype import BaseDataType

EXACT_BITS = 25
"""Widest signed integers that float32 holds all of."""


def array_type(datatype: BaseDataType) -> type[np.float32 | np.float64]:
    """Return the type of floats that hold all integers of a type."""
    return np.float32 if datatype.bitwidth() <= EXACT_BITS else np.float64


@dataclass(frozen=True)
class Stream:
    """One AXI4-Stream of a hardware op.

    A tensor goes as words of `pe` elements, element 0 in the least significant bits, each exactly
    `datatype.bitwidth()` bits wide; the last axis is the one that is folded.

    Parameters
    ----------
    tensor
        Position among the node's inputs (or outputs) of the tensor that it carries.
    shape
        Normal shape of one frame of that tensor.
    datatype
        Integer type of an element.
    pe
        Elements per word; divides the last axis.
    port
        Prefix of the core's ports, for example `s_axis`; several streams of one prefix form a port array.
    attribute
        Name of the node attribute that holds `datatype`, or "" if it follows from other attributes.
    """

    tensor: int
    shape: tuple[int, ...]
    datatype: BaseDataType
    pe: int
    port: str
    attribute: str = ""

    @property
    def folded_shape(self) -> tuple[int, ...]:
        """Shape with the last axis split into words and elements."""
        return (*self.shape[:-1], self.shape[-1] // self.pe, self.pe)

    @property
    def array_type(self) -> type[np.float32 | np.float64]:
        """Type of the floats in which the tensor's integers are executed."""
        return array_type(self.datatype)

    @property
    def words(self) -> int:
        """Words per frame."""
        return math.prod(self.shape) // self.pe

    @property
    def width_bits(self) -> int:
        """Bits of a word, without the padding to whole bytes."""
        return self.pe * self.datatype.bitwidth()

    @property
    def padded_bits(self) -> int:
        """Bits of TDATA: `width_bits` rounded up to whole bytes."""
        return 8 * math.ceil(self.width_bits / 8)
