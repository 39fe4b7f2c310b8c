"""The K largest logits in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def top_k(logits: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return the positions of the `k` largest values on the last axis of `logits` [..., C], largest first.

    Among equal values the lowest position comes first, as in a stable sort of the negated logits.
    """
    return np.argsort(-logits, axis=-1, kind="stable")[..., :k]
