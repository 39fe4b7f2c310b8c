"""Stream fork in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fork(x: NDArray[np.int64], copies: int) -> list[NDArray[np.int64]]:
    """Return `copies` independent copies of `x` (any shape)."""
    return [x.copy() for _ in range(copies)]
