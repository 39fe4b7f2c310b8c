"""One DMA channel between memory and the accelerator, in the register layout of FINN's IODMA.

| offset | register |
|---|---|
| 0x00 | control: bit 0 start, bit 1 done (cleared by reading), bit 2 idle |
| 0x10, 0x14 | physical address of the buffer, low and high half; a multiple of 128 |
| 0x1C | frames to transfer |
| 0x28 | errors of the last transfer: bit 0 memory, bit 1 address; this project's DMA only, FINN's reads 0 |
| 0x2C | frames transferred since the start; likewise |
| 0x30 | build number of the hardware; likewise |
"""

from __future__ import annotations

import time
from typing import Any

from .errors import DmaError

CONTROL, ADDRESS_LOW, ADDRESS_HIGH, FRAMES = 0x00, 0x10, 0x14, 0x1C
ERRORS, FRAMES_DONE, BUILD_ID = 0x28, 0x2C, 0x30
START, DONE, IDLE = 0x1, 0x2, 0x4
ERROR_TEXTS = {0x1: "the memory answered with an error", 0x2: "the buffer's address is not a multiple of 128"}

_SPIN_SECONDS = 500e-6
_SLEEP_SECONDS = 50e-6


class Channel:
    """A DMA channel.

    Parameters
    ----------
    name
        Of the hardware's instance, for messages.
    purpose
        Which way it goes, for messages.
    registers
        Has `read(offset)` and `write(offset, value)`, as PYNQ's drivers do.
    """

    def __init__(self, name: str, purpose: str, registers: Any) -> None:
        self.name = name
        self._purpose = purpose
        self._registers = registers
        self.build_id = int(registers.read(BUILD_ID))
        self._frames = 0

    @property
    def counts_frames(self) -> bool:
        """Whether the hardware tells how many frames it has transferred."""
        return self.build_id != 0

    def frames_done(self) -> int:
        """Frames transferred since the start; 0 where the hardware does not tell."""
        return int(self._registers.read(FRAMES_DONE))

    def start(self, address: int, frames: int) -> None:
        """Start to transfer `frames` frames from or to a physical address."""
        self._frames = frames
        self._registers.write(ADDRESS_LOW, address & 0xFFFFFFFF)
        self._registers.write(ADDRESS_HIGH, address >> 32)
        self._registers.write(FRAMES, frames)
        self._registers.write(CONTROL, START)

    def is_idle(self) -> bool:
        """Whether no transfer is running."""
        control = int(self._registers.read(CONTROL))
        return bool(control & DONE) or (bool(control & IDLE) and not control & START)

    def wait(self, timeout_s: float, later: Channel | None = None) -> bool:
        """Wait for the end of the transfer, first without sleeping, as most are short; False if it does not come.

        Parameters
        ----------
        timeout_s
            When to give up.
        later
            A channel that cannot be done before this one; when it is, this one will never be.

        Raises
        ------
        DmaError
            The hardware reported an error.
        """
        started = time.monotonic()
        while not self.is_idle():
            waited = time.monotonic() - started
            if waited > timeout_s:
                return False
            if waited > _SPIN_SECONDS:
                if later is not None and later.is_idle() and not self.is_idle():
                    return False
                time.sleep(_SLEEP_SECONDS)
        errors = int(self._registers.read(ERRORS))
        if errors:
            texts = [text for bit, text in ERROR_TEXTS.items() if errors & bit] or [f"code {errors:#x}"]
            raise DmaError(f"DMA channel {self} failed: {' and '.join(texts)}")
        return True

    def __str__(self) -> str:
        progress = f", {self.frames_done()} of {self._frames} frames transferred" if self.counts_frames else ""
        return f"{self.name} ({self._purpose}{progress})"
