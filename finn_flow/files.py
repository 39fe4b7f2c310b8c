"""Writing files so that a reader never sees half of one."""

import ctypes
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finn_flow.errors import FlowError, UserError

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
# Of renameat2(2), from <fcntl.h> and <linux/fs.h>.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors while writing `path` into messages that name it.

    Raises
    ------
    FlowError
        The disk or the quota is full.
    UserError
        The place cannot be written to (permission, read-only, not a folder).
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

    Raises
    ------
    FlowError, UserError
        As `disk_errors`.
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


def replace_together(replacements: Sequence[tuple[Path, Path]]) -> None:
    """Move complete files or folders to their places so that what is there belongs together, at every moment.

    The first place is never empty if it was not before. The others are emptied before it changes and filled after it
    has, so that whoever reads, or finds what a killed process left, may miss them but never sees old beside new.

    Parameters
    ----------
    replacements
        (where it is now, where it is to be) of each, all in one file system; what is at the new places is deleted.
    """
    (first, target), *others = replacements
    for _, path in others:
        _remove(path)
    _exchange(first, target)
    for source, path in others:
        source.rename(path)
    _remove(first)


def _exchange(source: Path, target: Path) -> None:
    """Move `source` to `target`, in one step where the system can; what was at `target` is at `source` afterwards."""
    if not os.path.lexists(target):
        source.rename(target)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(source), os.fsencode(target)
    if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return
    # Some network file systems cannot: two steps then.
    aside = source.with_name(f"{source.name}.old")
    target.rename(aside)
    source.rename(target)
    aside.rename(source)


def _remove(path: Path) -> None:
    """Delete a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def locked_folder(path: Path) -> Iterator[None]:
    """Hold a lock on an existing folder during the block, waiting for any other process that holds it."""
    with disk_errors(path):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextmanager
def workspace_in(path: Path, prefix: str) -> Iterator[Path]:
    """Give a new folder in `path`, for what is not complete yet, to one process at a time.

    Those that killed processes have left, known by `prefix`, go.
    """
    with locked_folder(path):
        for left in path.glob(f"{prefix}*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(dir=path, prefix=prefix) as name:
            yield Path(name)


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


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_writable_dir(path: Path) -> Path:
    """Create the folder `path` where needed, prove that a file can be written in it, and return it.

    Raises
    ------
    UserError
        It is a file, or may not be created or written to.
    FlowError
        The disk is full.
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
    """Return the process's umask, which Python can only read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
