"""Frames for an accelerator from whatever a user has: codes, pixels, or the model's own input values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import DataType

from finn_flow.errors import UserError
from finn_flow.netlist.netlist import Netlist

Frames = NDArray[np.integer]

PIXEL_SCALES: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "u / 255": lambda u: u / np.float32(255),
    "u / 256": lambda u: u / np.float32(256),
    "u": lambda u: u,
    "u / 127.5 - 1": lambda u: (u / 127.5 - 1).astype(np.float32),
    "u / 128 - 1": lambda u: (u / 128 - 1).astype(np.float32),
    "(u / 255 - 0.5) / 0.5": lambda u: (u / np.float32(255) - np.float32(0.5)) / np.float32(0.5),
}
"""How the values of an image's pixels u, 0 to 255, are usually made."""


def random_frames(netlist: Netlist, count: int, seed: int) -> Frames:
    """Return frames [N, H, W, C] of codes that use the whole range of the accelerator's input."""
    (stream,) = netlist.inputs.values()
    datatype = DataType[stream.datatype]
    low, high = int(datatype.min()), int(datatype.max())
    return np.random.default_rng(seed).integers(low, high + 1, (count, *stream.shape[1:]), dtype=np.int64)


def frames_of_values(path: Path, values: NDArray, netlist: Netlist) -> Frames:
    """Return the codes [N, H, W, C] of the model's input values [N, as the model takes them] or [N, H, W, C].

    Raises
    ------
    UserError
        Another shape, or values that several quantisers of the model would round differently.
    """
    (stream,) = netlist.inputs.values()
    form, (_, height, width, channels) = netlist.given, stream.shape
    channels_first = (channels, height, width)
    given = tuple(channels_first[axis - 1] for axis in form.axes[1:]) if form.axes else channels_first
    values = np.asarray(values, dtype=np.float32)
    count, shape = len(values), values.shape[1:]
    if shape == given or (np.prod(shape) == np.prod(given) and len(shape) < 3):
        values = values.reshape(count, *given)
    elif shape == stream.shape[1:]:
        turned = np.moveaxis(values, -1, 1)
        values = np.transpose(turned, form.axes) if form.axes else turned
    else:
        raise UserError(f"{path}: values must have shape [N, {', '.join(map(str, given))}], not {list(values.shape)}")
    codes = form.encode(values)
    if form.exact_codes_only:
        inexact = np.any(form.decode(codes).reshape(count, -1) != values.reshape(count, -1), axis=1)
        if inexact.any():
            raise UserError(
                f"{path}: frame {int(np.argmax(inexact))} is not made of codes of {form.scale_text}; several "
                "quantisers read the image, and they agree with the accelerator for such images only"
            )
    return np.ascontiguousarray(np.moveaxis(codes, 1, -1))


def check_inputs(path: Path, inputs: NDArray, netlist: Netlist) -> None:
    """Make sure that an array can be frames: integers [N, H, W, C], or floats of any shape, at least one frame.

    Raises
    ------
    UserError
        It cannot.
    """
    (stream,) = netlist.inputs.values()
    fits = inputs.dtype.kind == "f" or (inputs.dtype.kind in "iu" and _long(inputs.shape) == _long(stream.shape))
    if not fits or inputs.ndim < 2 or len(inputs) == 0:
        wanted = ", ".join(str(n) for n in stream.shape[1:])
        raise UserError(
            f"{path}: inputs must be {stream.datatype.lower()} [N, {wanted}] for this accelerator, or the model's "
            f"input values, not {inputs.dtype} {list(inputs.shape)}"
        )


def _long(shape: tuple[int, ...]) -> list[int]:
    """Axes of a frame that are longer than 1: a series may be given without the axis that it does not have."""
    return [size for size in shape[1:] if size > 1]


def readings(path: Path, inputs: NDArray, netlist: Netlist) -> Iterator[tuple[str, Frames]]:
    """Yield, with a description, the frames that an array may mean: the likeliest first.

    Integers are codes where they lie in the range of the accelerator's input, and may be pixels; other numbers are
    values.

    Raises
    ------
    UserError
        No frames, or another shape.
    """
    (stream,) = netlist.inputs.values()
    datatype = DataType[stream.datatype]
    check_inputs(path, inputs, netlist)
    if inputs.dtype.kind == "f":
        yield "the model's input values", frames_of_values(path, inputs, netlist)
        return
    inputs = inputs.reshape(len(inputs), *stream.shape[1:])
    if datatype.min() <= inputs.min() and inputs.max() <= datatype.max():
        yield "codes", inputs.astype(np.int64)
    if inputs.dtype == np.uint8:
        for name, values in PIXEL_SCALES.items():
            pixels = np.moveaxis(values(inputs.astype(np.float32)), -1, 1)
            given = np.transpose(pixels, netlist.given.axes) if netlist.given.axes else pixels
            codes = netlist.given.encode(np.ascontiguousarray(given))
            yield f"pixels u of value {name}", np.ascontiguousarray(np.moveaxis(codes, 1, -1))
