"""Several tensors side by side in one, in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def interleave(tensors: Sequence[NDArray], axis: int = -1) -> NDArray:
    """Return [.., n·C, ..] from n tensors [.., C, ..]: channel c of tensor r is channel c·n + r of the result."""
    joined = np.stack(tensors, axis=-1)
    moved = np.moveaxis(joined, axis - 1 if axis < 0 else axis, -2)
    flat = moved.reshape(*moved.shape[:-2], -1)
    return np.moveaxis(flat, -1, axis)
