"""A table of codes, in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def lookup(x: Integers, table: Integers, lowest: int) -> Integers:
    """Return the table's entry for each code: `table[c, x - lowest]`.

    Parameters
    ----------
    x
        Codes [..., C], each from `lowest` to `lowest + n - 1`.
    table
        [C or 1, n].
    lowest
        Code of the table's first entry.
    """
    if len(table) == 1:
        return table[0][x - lowest]
    return table[np.arange(x.shape[-1]), x - lowest]
