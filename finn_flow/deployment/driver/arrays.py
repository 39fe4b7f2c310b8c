"""Arrays from `.npy` and `.npz` files: nothing is unpickled, and a header is believed only as far as there is data."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .files import Memory, one_line, printable, read_archive, read_regular

Array = npt.NDArray[Any]

MOST_HEADER_BYTES = 10_000
_SUFFIX = ".npy"


def read_arrays(path: Path, memory: Memory) -> dict[str, Array]:
    """Return the arrays of an `.npz` file by name, or the one of an `.npy` file as `images`.

    Raises
    ------
    InputError
        It cannot be read, is damaged, too large, or holds something else than arrays of numbers.
    """
    name = printable(str(path))
    if path.suffix == _SUFFIX:
        return {"images": _array(name, read_regular(path), memory)}
    found = {}
    for member, content in read_archive(path, lambda _: True):
        if not member.endswith(_SUFFIX):
            raise InputError(f"{name} cannot be read: it holds {printable(member)}, which is no array")
        found[member.removesuffix(_SUFFIX)] = _array(f"{name}:{printable(member)}", content, memory)
    return found


def _array(name: str, content: bytes, memory: Memory) -> Array:
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"its version {version[0]}.{version[1]} is not known")
        if int.from_bytes(content[8 : 10 if version == (1, 0) else 12], "little") > MOST_HEADER_BYTES:
            raise ValueError("its header is too long")
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran_order, dtype = read_header(stream)
        if dtype.kind not in "biuf":
            raise ValueError(f"its elements are {dtype}, not numbers")
        data = memoryview(content)[stream.tell() :]
        # Shapes of 0 elements, too, may be of any length; a frame has at least one.
        if any(not 0 < side <= len(data) for side in shape) or math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError(f"its shape {list(shape)} of {dtype} is not that of {len(data):,} bytes of data")
        memory.take(name, len(data))
        return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")
    except InputError:
        raise
    except Exception as error:  # the header is Python source, whose parser raises whatever it stumbles over
        raise InputError(f"{name} cannot be read: {one_line(error)}") from None
