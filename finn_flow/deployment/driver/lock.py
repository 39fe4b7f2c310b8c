"""One process at a time on the programmable logic."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from .errors import BusyError, HardwareError

LOCK_FILE = "dsode-accelerator.lock"


class OverlayLock:
    """An exclusive lock, held from construction until `release` or the end of the process, however it ends.

    Parameters:
        path: the lock file; in the system's temporary folder by default.

    Raises:
        BusyError: another process (or another `Accelerator` of this one) holds it.
        HardwareError: the lock file cannot be opened.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(tempfile.gettempdir()) / LOCK_FILE
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise HardwareError(f"cannot open the lock {self.path} ({error.strerror}); run as the same user") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise BusyError(f"the accelerator is in use by process {holder}; wait for it to end, or end it") from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; does nothing the second time."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
