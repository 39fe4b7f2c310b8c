"""Multiplication by a matrix, in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def constant_matrix(x: Integers, weights: Integers) -> Integers:
    """Return `x @ weights`, exact: x [..., inputs], weights [inputs, outputs]."""
    return x @ weights
