"""Between integers and the bytes that the accelerator's DMAs read and write; whole batches at a time.

A frame is a sequence of words of `pe` elements each, element 0 in a word's least significant bits, `bits` bits an
element, each word padded with zeros to whole bytes, little endian. That is FINN's packed format.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class StreamFormat:
    """How a tensor lies in memory.

    Parameters
    ----------
    shape
        Of one frame, without the frame axis; its number of elements is a multiple of `pe`.
    bits
        Width of an element, 1 to 32.
    signed
        Elements are two's complement.
    pe
        Elements in a word.
    """

    shape: tuple[int, ...]
    bits: int
    signed: bool
    pe: int

    @property
    def words(self) -> int:
        """Words of a frame."""
        return math.prod(self.shape) // self.pe

    @property
    def word_bytes(self) -> int:
        """Bytes of a word."""
        return (self.pe * self.bits + 7) // 8

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame."""
        return self.words * self.word_bytes

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> StreamFormat:
        """Return the format that `to_json` described; raises KeyError, TypeError or ValueError if it did not."""
        found = cls(tuple(int(n) for n in value["shape"]), int(value["bits"]), bool(value["signed"]), int(value["pe"]))
        if not 1 <= found.bits <= 32 or found.pe < 1 or math.prod(found.shape) % found.pe:
            raise ValueError(f"not a stream format: {value}")
        return found

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"shape": list(self.shape), "bits": self.bits, "signed": self.signed, "pe": self.pe}

    def pack(self, frames: npt.NDArray[np.integer[Any]], out: Bytes) -> None:
        """Write frames [N, *shape], their values in range, as bytes into `out`, uint8 [N, frame_bytes]."""
        count = len(frames)
        if self.bits == 8:
            out[:] = frames.reshape(count, -1).view(np.uint8) if frames.itemsize == 1 else frames.reshape(count, -1)
            return
        values = frames.reshape(count * self.words, self.pe).astype("<i4")
        as_bytes = values.view(np.uint8).reshape(*values.shape, 4)
        as_bits = np.unpackbits(as_bytes, axis=-1, count=self.bits, bitorder="little").reshape(len(values), -1)
        out[:] = np.packbits(as_bits, axis=-1, bitorder="little").reshape(count, -1)

    def unpack(self, packed: Bytes) -> npt.NDArray[np.int64]:
        """Return the integers int64 [N, *shape] of bytes uint8 [N, frame_bytes]; padding is ignored."""
        count = len(packed)
        if self.pe == 1 and self.bits <= 8:
            values = packed.astype(np.int64) & ((1 << self.bits) - 1)
        else:
            words = np.ascontiguousarray(packed).reshape(count * self.words, self.word_bytes)
            as_bits = np.unpackbits(words, axis=-1, count=self.pe * self.bits, bitorder="little")
            full = np.zeros((len(words) * self.pe, 64), np.uint8)
            full[:, : self.bits] = as_bits.reshape(-1, self.bits)
            values = np.packbits(full, axis=-1, bitorder="little").view("<i8").astype(np.int64)
        if self.signed:
            values = np.where(values >> (self.bits - 1), values - (1 << self.bits), values)
        return values.reshape(count, *self.shape)

    def padding_is_zero(self, packed: Bytes) -> npt.NDArray[np.bool_]:
        """For each frame, bool [N], whether the unused bits above each word's elements are zero."""
        used_bits = (self.pe * self.bits - 1) % 8 + 1
        last = packed.reshape(len(packed), self.words, self.word_bytes)[:, :, -1]
        return np.asarray((last.astype(np.int64) >> used_bits == 0).all(axis=1))
