"""Opening what anybody may have made: regular files only, archives in memory, and no more than memory holds."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from .errors import InputError

MOST_FILE_BYTES = 1 << 30
"""Largest file that is read, and largest unpacked content of an archive."""
MOST_IMAGE_BYTES = 1 << 29
"""Most bytes that the images of one call take in memory, as arrays."""

_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Memory:
    """What is left for the images of one call.

    Parameters
    ----------
    most_bytes
        For all of them; `MOST_IMAGE_BYTES` if None.
    """

    def __init__(self, most_bytes: int | None = None) -> None:
        self._most = MOST_IMAGE_BYTES if most_bytes is None else most_bytes
        self._left = self._most

    def take(self, name: str, size_bytes: int) -> None:
        """Note that `name` needs `size_bytes`, before they are used.

        Raises
        ------
        InputError
            That is more than is left.
        """
        if size_bytes > self._left:
            raise InputError(
                f"{name} needs {size_bytes:,} bytes in memory, but of the {self._most:,} for the images of one call "
                f"{self._left:,} are left; pass fewer or smaller images at a time"
            )
        self._left -= size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Note that so many of the bytes are free again."""
        self._left += size_bytes


def one_line(error: BaseException) -> str:
    """Return what an error says, without line breaks; its type where it says nothing."""
    return printable(" ".join(str(error).split())) or type(error).__name__


def printable(name: str) -> str:
    """Return a name from outside without control characters and broken bytes, which are written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def inner_name(name: object) -> str:
    """Return a name that was read from a file and stands for another one below the same folder.

    Raises
    ------
    ValueError
        It is no text, or leads out of the folder.
    """
    if not isinstance(name, str) or not name.isprintable() or "\\" in name:
        raise ValueError(f"{name!r} is no name of a file")
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} is not inside the folder")
    return name


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file to read it; never waits for a pipe and never touches a device.

    Raises
    ------
    InputError
        There is no such file, it is something else, too large, or may not be read.
    """
    name = printable(str(path))
    try:
        _check_regular(name, path.stat())
        # What was a file may be a pipe by now: opened without waiting, and looked at again.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        try:
            _check_regular(name, os.fstat(file.fileno()))
        except InputError:
            file.close()
            raise
    except FileNotFoundError:
        raise InputError(f"{name}: no such file or folder") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from None
    except ValueError:  # a zero character
        raise InputError(f"{name} is no name of a file") from None
    return file


def read_regular(path: Path) -> bytes:
    """Return the content of a regular file.

    Raises
    ------
    InputError
        As `open_regular`.
    """
    with open_regular(path) as file:
        try:
            return file.read(os.fstat(file.fileno()).st_size)
        except OSError as error:
            raise InputError(f"{printable(str(path))} cannot be read: {error.strerror}") from None


def read_archive(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Give name and content of each file in a zip archive whose name is `wanted`, sorted.

    Nothing is unpacked to the disk, so that a name may be anything.

    Raises
    ------
    InputError
        As `open_regular`; or it is damaged, encrypted, not packed by deflation, or too large unpacked.
    """
    name = printable(str(path))
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            entries = sorted((e for e in archive.infolist() if wanted(e.filename)), key=lambda e: e.filename)
            size = sum(entry.file_size for entry in entries)
            if size > MOST_FILE_BYTES:
                raise InputError(f"{name} unpacks to {size:,} bytes, more than {MOST_FILE_BYTES:,}; unpack it yourself")
            for entry in entries:
                if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
                    raise InputError(
                        f"{name}: {printable(entry.filename)} is encrypted or not packed by deflation; pack it again"
                    )
                with archive.open(entry) as member:
                    content = member.read(entry.file_size)
                yield entry.filename, content
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and struct raise whatever they stumble over in a damaged archive
        raise InputError(f"{name} cannot be read as an archive: {one_line(error)}") from None


def _check_regular(name: str, state: os.stat_result) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise InputError(f"{name} is no regular file")
    if state.st_size > MOST_FILE_BYTES:
        raise InputError(f"{name} has {state.st_size:,} bytes, more than {MOST_FILE_BYTES:,}")
