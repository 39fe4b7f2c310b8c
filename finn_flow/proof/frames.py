"""Frames that a proof is made on: the whole range of the input's type, its ends, and images where there are some."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finn_flow.transformations.interface import InputForm

FRAMES = 12


def range_frames(lowest: int, highest: int, shape: tuple[int, ...], seed: int = 0) -> NDArray[np.int64]:
    """Return `FRAMES` frames of codes [N, *shape] from `lowest` to `highest`.

    Flat at either end, both ends in turns, few levels (as in drawings), and uniformly random.
    """
    rng = np.random.default_rng(seed)
    frames = rng.integers(lowest, highest + 1, (FRAMES, *shape), dtype=np.int64)
    frames[0], frames[1] = lowest, highest
    frames[2] = np.where(rng.random(shape) < 0.5, lowest, highest)
    levels = np.linspace(lowest, highest, 4).astype(np.int64)
    few = slice(3, FRAMES // 2)
    frames[few] = rng.choice(levels, frames[few].shape)
    return frames


def golden_frames(path: Path, form: InputForm, shape: tuple[int, ...]) -> NDArray[np.int64] | None:
    """Return the images of a golden file as codes [N, *shape], or None if it has none that fit.

    What images they are is all that matters here: integers in the range of the input count as codes, other integers as
    pixels.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            inputs = np.asarray(arrays["inputs"]) if "inputs" in arrays else None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile):
        return None
    codes = form.codes
    if inputs is None or codes is None or inputs.dtype.kind not in "iu" or not inputs.size:
        return None
    if inputs[0].size != np.prod(shape) or inputs.ndim != len(shape) + 1:
        return None
    images = np.moveaxis(inputs, -1, 1).astype(np.int64)
    if codes.lowest <= images.min() and images.max() <= codes.highest:
        return images.reshape(-1, *shape)
    values = np.clip(images + codes.lowest, codes.lowest, codes.highest)
    return np.asarray(values.reshape(-1, *shape))
