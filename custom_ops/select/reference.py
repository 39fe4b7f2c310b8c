"""One of two tensors, chosen by the iteration, in integers."""

from __future__ import annotations

from numpy.typing import NDArray


def select(first: NDArray, second: NDArray, choose_first: bool) -> NDArray:
    """Return `first` or `second`, two tensors of one shape."""
    return first if choose_first else second
