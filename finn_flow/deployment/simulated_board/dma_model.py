"""The registers and the transfer of one DMA channel, as the hardware has them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from finn_flow.deployment.driver.dma import (
    ADDRESS_HIGH,
    ADDRESS_LOW,
    BUILD_ID,
    CONTROL,
    DONE,
    ERRORS,
    FRAMES,
    FRAMES_DONE,
    IDLE,
    START,
)

MEMORY_ERROR, ADDRESS_ERROR = 0x1, 0x2
ALIGNMENT_BYTES = 128


@dataclass
class Transfer:
    """Words between memory and a stream.

    Parameters
    ----------
    words
        uint8 [n, word_bytes], a view of the memory.
    done
        Words transferred.
    limit
        Words after which the channel stops moving (a fault); normally all.
    """

    words: NDArray[np.uint8]
    done: int = 0
    limit: int = field(default=0)

    def __post_init__(self) -> None:
        self.limit = len(self.words)

    @property
    def left(self) -> NDArray[np.uint8]:
        """The words still to be moved."""
        return self.words[self.done : self.limit]


class DmaModel:
    """One channel.

    Parameters
    ----------
    memory
        uint8, all of it.
    base
        Physical address of its first byte.
    frame_words, word_bytes
        Of the stream.
    build_id
        What the hardware answers; 0: FINN's IODMA, which has none of the additional registers.
    """

    def __init__(self, memory: NDArray[np.uint8], base: int, frame_words: int, word_bytes: int, build_id: int) -> None:
        self._memory = memory
        self._base = base
        self.frame_words = frame_words
        self._word_bytes = word_bytes
        self._build_id = build_id
        self.reset()

    def reset(self) -> None:
        """As after the bitfile is loaded."""
        self._registers = {ADDRESS_LOW: 0, ADDRESS_HIGH: 0, FRAMES: 0}
        self._done = False
        self.errors = 0
        self.frames_done = 0
        self.transfer: Transfer | None = None

    def read(self, offset: int) -> int:
        """Return a register's value."""
        if offset == CONTROL:
            value = DONE * self._done | (IDLE if self.transfer is None else START)
            self._done = False  # reading clears it
            return value
        if offset in self._registers:
            return self._registers[offset]
        own = {ERRORS: self.errors, FRAMES_DONE: self.frames_done, BUILD_ID: self._build_id}
        return own.get(offset, 0) if self._build_id else 0

    def write(self, offset: int, value: int) -> bool:
        """Write a register; returns whether that started a transfer."""
        if offset in self._registers:
            self._registers[offset] = value & 0xFFFFFFFF
        if offset != CONTROL or not value & START or self.transfer is not None:
            return False
        self._done, self.errors, self.frames_done = False, 0, 0
        address = self._registers[ADDRESS_LOW] | self._registers[ADDRESS_HIGH] << 32
        count = self._registers[FRAMES] * self.frame_words
        first = address - self._base
        if address % ALIGNMENT_BYTES:
            self.errors, self._done = ADDRESS_ERROR, True
        elif first < 0 or first + count * self._word_bytes > len(self._memory):
            self.errors, self._done = MEMORY_ERROR, True
        elif count == 0:
            self._done = True
        else:
            region = self._memory[first : first + count * self._word_bytes]
            self.transfer = Transfer(region.reshape(count, self._word_bytes))
        return self.transfer is not None

    def advance(self, words: int) -> None:
        """Note that `words` more words have been moved; at the end the transfer is done."""
        if self.transfer is None:
            return
        self.transfer.done += words
        self.frames_done = self.transfer.done // self.frame_words
        if self.transfer.done == len(self.transfer.words):
            self.finish()

    def finish(self) -> None:
        """End the transfer as if all frames had been moved."""
        assert self.transfer is not None
        self.frames_done = len(self.transfer.words) // self.frame_words
        self.transfer, self._done = None, True
