"""A stand-in for PYNQ whose overlays are simulated boards; of PYNQ's interface what drivers of accelerators use.

It has the properties of the hardware that a driver has to mind: buffers lie behind a cache, so that `flush` and
`invalidate` matter; reading a register takes a while; memory for buffers is limited.
"""

from __future__ import annotations

import json
import math
import mmap
import socket
import threading
from pathlib import Path
from typing import Any

import numpy as np

__version__ = "3.0.1+simulated"
_PAGE = 4096


class Device:
    """The connection to one simulated board. `active_device` is the one whose bitfile was loaded last."""

    active_device: Device | None = None

    def __init__(self, description: dict[str, Any]) -> None:
        self.registers = description["registers"]
        self.memory_base = description["memory_base"]
        with Path(description["memory"]).open("r+b") as file:
            self.memory = np.frombuffer(mmap.mmap(file.fileno(), 0), np.uint8)
        self._free = [(0, len(self.memory))]
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(description["socket"])
        self._answers = self._socket.makefile("rb")

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request to the board and return its answer."""
        with self._lock:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            line = self._answers.readline()
        if not line:
            raise RuntimeError("the simulated board is off")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def take(self, size: int) -> int:
        """Offset of `size` free bytes of memory, first fit."""
        size = -(-size // _PAGE) * _PAGE
        for index, (start, length) in enumerate(self._free):
            if length >= size:
                self._free[index] = (start + size, length - size)
                return start
        raise RuntimeError("Failed to allocate memory!")

    def give(self, start: int, size: int) -> None:
        """Give memory back."""
        self._free.append((start, -(-size // _PAGE) * _PAGE))

    def close(self) -> None:
        """Let the board go."""
        self._answers.close()
        self._socket.close()


class MMIO:
    """Registers from `base_addr` on."""

    def __init__(self, base_addr: int, length: int = 4, device: Device | None = None) -> None:
        self.base_addr, self.length = base_addr, length
        self._device = device or _active()

    def read(self, offset: int = 0, length: int = 4) -> int:
        """Read the 32-bit register at a byte offset."""
        self._check(offset)
        return int(self._device.ask(do="read", address=self.base_addr + offset)["value"])

    def write(self, offset: int, data: int) -> None:
        """Write a 32-bit register."""
        self._check(offset)
        self._device.ask(do="write", address=self.base_addr + offset, value=int(data) & 0xFFFFFFFF)

    def _check(self, offset: int) -> None:
        if offset % 4:
            raise MemoryError("Unaligned read: offset must be multiple of 4.")
        if not 0 <= offset < self.length:
            raise IndexError("offset is out of the address range")


class DefaultIP:
    """An IP block with registers."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.mmio = MMIO(description["phys_addr"], description["addr_range"], description["device"])

    def read(self, offset: int = 0) -> int:
        """Read a register."""
        return self.mmio.read(offset)

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        self.mmio.write(offset, value)


class Bitstream:
    """A bitfile of a simulated board, with its hand-off beside it."""

    def __init__(
        self, bitfile_name: str, dtbo: str | None = None, partial: bool = False, device: Device | None = None
    ) -> None:
        if partial:
            raise RuntimeError("a simulated board cannot be configured in parts")
        path = Path(bitfile_name).absolute()
        if not path.exists():
            raise OSError(f"Bitstream file {bitfile_name} does not exist.")
        if not path.with_suffix(".hwh").exists():
            raise ValueError(f"Cannot find HWH file for {bitfile_name}.")
        self.bitfile_name = str(path)
        self.device = device or Device(json.loads(path.read_text(encoding="utf-8"))["simulated_board"])

    def download(self) -> None:
        """Load the bitfile (again)."""
        self.device.ask(do="load")
        Device.active_device = self.device


class Overlay(Bitstream):
    """A bitfile with its IP blocks as attributes, loaded on construction unless `download` is false."""

    def __init__(
        self,
        bitfile_name: str,
        dtbo: str | None = None,
        download: bool = True,
        ignore_version: bool = False,
        device: Device | None = None,
    ) -> None:
        super().__init__(bitfile_name, dtbo, False, device)
        self.ip_dict = {
            name: {"phys_addr": address, "addr_range": length, "fullpath": name, "device": self.device}
            for name, (address, length) in self.device.registers.items()
        }
        self._blocks = {name: DefaultIP(entry) for name, entry in self.ip_dict.items()}
        if download:
            self.download()

    def __getattr__(self, name: str) -> DefaultIP:
        blocks = self.__dict__.get("_blocks", {})
        if name not in blocks:
            raise AttributeError(f"Could not find IP or hierarchy {name} in overlay")
        return blocks[name]

    def is_loaded(self) -> bool:
        """Whether it is the bitfile in the logic."""
        return Device.active_device is self.device


class PynqBuffer(np.ndarray):
    """An array of the processor's view of a buffer, behind its cache."""

    _region: np.ndarray | None = None
    _device: Device | None = None
    device_address = physical_address = 0

    def flush(self) -> None:
        """Bring what the processor has written to the memory."""
        if self._region is not None:
            self._region[:] = np.asarray(self).view(np.uint8).reshape(-1)

    def invalidate(self) -> None:
        """Let the processor read what is in the memory."""
        if self._region is not None:
            np.asarray(self).view(np.uint8).reshape(-1)[:] = self._region

    sync_to_device = flush
    sync_from_device = invalidate

    def freebuffer(self) -> None:
        """Give the memory back."""
        if self._device is not None and self._region is not None:
            self._device.give(self.physical_address - self._device.memory_base, self._region.size)
            self._device = self._region = None

    close = freebuffer


def allocate(shape: Any, dtype: Any = "u4", target: Device | None = None, **options: Any) -> PynqBuffer:
    """Return a buffer that the DMAs can reach; its contents are arbitrary."""
    device = target or _active()
    shape = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    size = math.prod(shape) * np.dtype(dtype).itemsize
    start = device.take(size)
    buffer = np.full(shape, 0xA5, dtype).view(PynqBuffer)
    buffer._device = device
    buffer._region = device.memory[start : start + size]
    buffer.device_address = buffer.physical_address = device.memory_base + start
    return buffer


def get_rails() -> dict[str, Any]:
    """Return the supply rails: a simulated board has none."""
    return {}


def _active() -> Device:
    if Device.active_device is None:
        raise RuntimeError("No Devices Found")
    return Device.active_device
