"""Writing files so that a reader never sees half of one."""

import errno
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finn_flow.errors import FlowError, UserError

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors while writing `path` into messages that name it.

    Raises:
        FlowError: the disk or the quota is full.
        UserError: the place cannot be written to (permission, read-only, not a folder).
    """
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise FlowError(f"no space left on the disk while writing {path}; free some space and try again") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENOENT):
            raise UserError(f"cannot write {path}: {os.strerror(error.errno)}; choose another place") from error
        raise


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and move it to `path` when the block ends without an exception.

    The temporary file keeps the suffix of `path`, for writers that look at it; a failed block leaves nothing behind.

    Raises:
        FlowError, UserError: as `disk_errors`.
    """
    path = Path(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
        os.close(descriptor)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` in one step: afterwards the file is complete or as it was before."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def atomic_write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) to `path` in one step."""
    atomic_write_bytes(path, text.encode())


def atomic_write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON with a final newline to `path` in one step."""
    atomic_write_text(path, json.dumps(value, indent=2) + "\n")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path` during the block, waiting for any other process that holds it.

    The lock goes when the process does, so a killed process leaves nothing to clean up.
    """
    path = Path(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def check_writable_dir(path: Path) -> Path:
    """Create the folder `path` where needed, prove that a file can be written in it, and return it.

    Raises:
        UserError: it is a file, or may not be created or written to.
        FlowError: the disk is full.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} must be a folder, not a file")
    with disk_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    return path


def _umask() -> int:
    """The process's umask, which Python can only read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
