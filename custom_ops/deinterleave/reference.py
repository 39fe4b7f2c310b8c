"""One of several tensors that lie side by side in one, in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def deinterleave(x: NDArray, tensors: int, position: int, axis: int = -1) -> NDArray:
    """Return tensor `position` of the `tensors` that `interleave` put side by side: every n-th channel of x."""
    return np.take(x, np.arange(position, x.shape[axis], tensors), axis=axis)
