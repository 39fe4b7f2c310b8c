"""The accelerator's parameter port: parameters go into a spare bank, are read back, and come into use between frames.

| offset | register |
|---|---|
| 0x00 | state: bit 0 busy, bits 2:1 bank in use, bit 3 a write was refused because of busy (cleared by reading) |
| 0x04 | write 0, 1 or 2: switch to that bank; 0 holds the built-in parameters |
| 0x08 | row, for the next write or read; counts up after each |
| 0x0C | multiplier |
| 0x10, 0x14 | offset, low 32 and high 16 bits; a write of the high bits writes the row into the spare bank |
| 0x18 | write 0, 1 or 2: read the row of that bank back into the three registers above |
| 0x1C | magic number |
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .errors import BitfileError, HardwareError
from .network import Integers, Network, Parameters

STATE, SWITCH, ROW, MULTIPLIER, OFFSET_LOW, OFFSET_HIGH, READ, MAGIC = range(0x00, 0x20, 4)
MAGIC_NUMBER = 0x50415231
REGISTERS = {
    "state": STATE,
    "switch": SWITCH,
    "row": ROW,
    "multiplier": MULTIPLIER,
    "offset_low": OFFSET_LOW,
    "offset_high": OFFSET_HIGH,
    "read": READ,
    "magic": MAGIC,
}
BUILT_IN = 0
_BUSY, _REFUSED = 0x1, 0x8
_SIGN = 1 << 47


class ParameterPort:
    """Writes, reads and switches parameters.

    Parameters
    ----------
    registers
        Has `read(offset)` and `write(offset, value)`, as PYNQ's drivers do.
    network
        Says which rows there are.
    timeout_s
        How long frames that are inside may take to leave.

    Raises
    ------
    BitfileError
        The hardware has no such port.
    """

    def __init__(self, registers: Any, network: Network, timeout_s: float = 10.0) -> None:
        self._registers, self._network, self._timeout_s = registers, network, timeout_s
        found = int(registers.read(MAGIC))
        if found != MAGIC_NUMBER:
            raise BitfileError(f"the accelerator's parameter port answers {found:08x}, not {MAGIC_NUMBER:08x}")

    @property
    def bank(self) -> int:
        """The bank in use; 0 holds the built-in parameters."""
        return int(self._registers.read(STATE)) >> 1 & 3

    def load(self, parameters: Parameters, progress: Callable[[int, int], None] | None = None) -> None:
        """Write parameters into the spare bank, read all of it back, and take it into use between two frames.

        Raises
        ------
        HardwareError
            What is read back is something else; the parameters in use stay as they are.
        """
        spare = 2 if self.bank == 1 else 1
        rows = list(self._rows(parameters))
        for done, (row, multiplier, offset) in enumerate(rows):
            self._write(row, multiplier, offset)
            if progress is not None:
                progress(done + 1, 2 * len(rows))
        for done, (row, multiplier, offset) in enumerate(rows):
            found = self.read_row(spare, row)
            if found != (multiplier, offset):
                raise HardwareError(
                    f"row {row} of the parameters was written as {(multiplier, offset)} but reads {found}; "
                    "nothing is changed"
                )
            if progress is not None:
                progress(len(rows) + done + 1, 2 * len(rows))
        self.switch(spare)

    def reset(self) -> None:
        """Take the built-in parameters into use."""
        self.switch(BUILT_IN)

    def switch(self, bank: int) -> None:
        """Take a bank into use, as soon as the frames inside have left."""
        self._registers.write(SWITCH, bank)
        self._wait()
        if self.bank != bank:
            raise HardwareError(f"the accelerator did not switch to parameter bank {bank}")

    def read(self, bank: int) -> Parameters:
        """Return the parameters of a bank."""
        found: Parameters = {}
        for name, node in self._network.writable.items():
            multiplier, offset = node.multiplier.copy(), node.offset.copy()
            for place, row in _places(node.rows):
                multiplier[place], offset[place] = self.read_row(bank, row)
            found[name] = multiplier, offset
        return found

    def read_row(self, bank: int, row: int) -> tuple[int, int]:
        """Return multiplier and offset of a row; frames are held back meanwhile."""
        registers = self._registers
        registers.write(ROW, row)
        registers.write(READ, bank)
        self._wait()
        offset = int(registers.read(OFFSET_LOW)) | (int(registers.read(OFFSET_HIGH)) & 0xFFFF) << 32
        return int(registers.read(MULTIPLIER)), offset - 2 * (offset & _SIGN)

    def _rows(self, parameters: Parameters) -> list[tuple[int, int, int]]:
        """Return row, multiplier and offset of all parameters, rows in order."""
        rows = []
        for name, node in self._network.writable.items():
            multiplier, offset = parameters[name]
            rows += [(row, int(multiplier[place]), int(offset[place])) for place, row in _places(node.rows)]
        return sorted(rows)

    def _write(self, row: int, multiplier: int, offset: int) -> None:
        registers = self._registers
        registers.write(ROW, row)
        registers.write(MULTIPLIER, multiplier)
        registers.write(OFFSET_LOW, offset & 0xFFFFFFFF)
        registers.write(OFFSET_HIGH, offset >> 32 & 0xFFFF)

    def _wait(self) -> None:
        started = time.monotonic()
        while True:
            state = int(self._registers.read(STATE))
            if state & _REFUSED:
                raise HardwareError("the accelerator refused to write parameters; load the bitfile again")
            if not state & _BUSY:
                return
            if time.monotonic() - started > self._timeout_s:
                raise HardwareError(f"frames have not left the accelerator within {self._timeout_s:g} s")


def _places(rows: Integers) -> list[tuple[tuple[int, int], int]]:
    return [((use, channel), int(row)) for use, line in enumerate(rows) for channel, row in enumerate(line)]
