"""A factor and an offset for each channel, in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def channel_affine(x: Integers, constants: Integers) -> Integers:
    """`x[..., c] * constants[c, 0] + constants[c, 1]`.

    Parameters
    ----------
    x
        Values [..., C].
    constants
        Factor and offset of each channel, [C, 2].
    """
    return x * constants[:, 0] + constants[:, 1]
