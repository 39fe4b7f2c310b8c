"""One user at a time of the programmable logic."""

from __future__ import annotations

import fcntl
import os
import stat
import weakref
from pathlib import Path

from .errors import BusyError, HardwareError

LOCK_FILE = Path("/run/lock/dsode-accelerator.lock")
"""The same for all processes of a board, whatever their environment; it does not outlast a restart."""


class OverlayLock:
    """An exclusive lock, held from construction until `release` or the end of the process, however it ends.

    Forked children do not hold it.

    Parameters
    ----------
    path
        The lock file; a regular file or nothing yet, never a link.

    Raises
    ------
    BusyError
        Another process (or another `Accelerator` of this one) holds it.
    HardwareError
        The lock file cannot be opened, or is not one.
    """

    def __init__(self, path: Path = LOCK_FILE) -> None:
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            self._file = os.open(path, flags, 0o644)
        except OSError as error:
            raise HardwareError(
                f"cannot open the lock {path} ({error.strerror}); it must be a file of root's or of the same user"
            ) from None
        try:
            check_lock_file(path, os.fstat(self._file), os.geteuid())
            self._take()
        except BaseException:
            os.close(self._file)
            raise
        _of_this_process.add(self)

    def _take(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode(errors="replace").strip() or "unknown"
            raise BusyError(f"the accelerator is in use by process {holder}; wait for it to end, or end it") from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; does nothing the second time."""
        _of_this_process.discard(self)
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def check_lock_file(path: Path, state: os.stat_result, user: int) -> None:
    """Refuse what somebody else may have put in the place of the lock file.

    Raises
    ------
    HardwareError
        No regular file, one with a second name, or one of a user who is neither `user` nor root.
    """
    if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:
        raise HardwareError(f"the lock {path} is no regular file, or has a second name; remove it")
    if state.st_uid not in (0, user):
        raise HardwareError(f"the lock {path} belongs to user {state.st_uid}; remove it")


_of_this_process: weakref.WeakSet[OverlayLock] = weakref.WeakSet()


def _forget_in_child() -> None:
    """Let go in a child of what its parent holds."""
    for lock in list(_of_this_process):
        lock.release()


os.register_at_fork(after_in_child=_forget_in_child)
