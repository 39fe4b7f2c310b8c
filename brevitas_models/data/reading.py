"""Reading users' files with messages that name the file and say what to do."""

import bz2
import gzip
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import scipy.io

from finn_flow.errors import UserError

MAX_BYTES = 1 << 31

_MAT_ERRORS = (
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    zlib.error,
    scipy.io.matlab.MatReadError,
)


def read_bytes(path: Path) -> bytes:
    """Return the content of a plain, gzip or bzip2 file, told apart by its first bytes.

    Raises
    ------
    UserError
        The file is missing, unreadable, damaged, or larger than 2 GiB when unpacked.
    """
    path = Path(path)
    try:
        with path.open("rb") as file, _unpacked(file) as unpacked:
            content = unpacked.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: damaged compressed file ({error}); get it again") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > MAX_BYTES:
        raise UserError(f"{path}: more than 2 GiB of content; no data set of this flow is that large")
    return content


def _unpacked(file: BinaryIO) -> BinaryIO | gzip.GzipFile | bz2.BZ2File:
    start = file.read(3)
    file.seek(0)
    if start[:2] == b"\x1f\x8b":
        return gzip.open(file)
    if start == b"BZh":
        return bz2.open(file)
    return file


def read_mat(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return the variables `keys` of a MATLAB file (version 4 to 7.2).

    Raises
    ------
    UserError
        The file is missing, no such file, of version 7.3, damaged, or lacks a variable.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        content = scipy.io.loadmat(path, variable_names=list(keys))
    except NotImplementedError as error:
        raise UserError(f"{path}: MATLAB 7.3 (HDF5) files are not read; save it with `save -v7`") from error
    except _MAT_ERRORS as error:
        raise UserError(f"{path}: not a readable MATLAB file ({error})") from error
    missing = [key for key in keys if key not in content]
    if missing:
        raise UserError(f"{path}: must hold the variables {', '.join(keys)}; {', '.join(missing)} is missing")
    return content


def read_h5(path: Path, keys: tuple[str, ...]) -> list[npt.NDArray[np.generic]]:
    """Return the numeric arrays `keys` (paths inside the file) of an HDF5 file.

    Raises
    ------
    UserError
        The file is missing, no HDF5 file, damaged, or lacks an array of numbers under a key.
    """
    import h5py  # only this shape of this one data set needs it

    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        with h5py.File(path, "r") as file:
            found = [file.get(key, None) for key in keys]
            wrong = [
                key
                for key, item in zip(keys, found, strict=True)
                if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf" or item.nbytes > MAX_BYTES
            ]
            if wrong:
                raise UserError(f"{path}: must hold the arrays {', '.join(keys)}; {', '.join(wrong)} is missing")
            return [np.asarray(item[()]) for item in found]
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise UserError(f"{path}: not a readable HDF5 file ({error}); get it again") from error


def find_one(folder: Path, names: tuple[str, ...], suffixes: tuple[str, ...] = ("", ".gz")) -> Path:
    """Return the first of `names`, with one of `suffixes`, that is a file in `folder`.

    Raises
    ------
    UserError
        The folder or every candidate is missing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    for name in names:
        for suffix in suffixes:
            if (folder / (name + suffix)).is_file():
                return folder / (name + suffix)
    raise UserError(f"{folder}: must hold {' or '.join(names)} (or the same with {', '.join(filter(None, suffixes))})")
