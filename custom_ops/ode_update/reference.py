"""One Euler update of the state in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def ode_update(z: Integers, increment: Integers, fraction_bits: int, low: int, high: int) -> Integers:
    """Add an increment to the state, round half to even, saturate.

    An increment has the scale of the state divided by 2^k, k = ``fraction_bits``:
    ``clip(round_half_even((z * 2^k + increment) / 2^k), low, high)``. For k <= 0 nothing is rounded:
    ``clip(z + increment * 2^-k, low, high)``.

    Parameters
    ----------
    z, increment: arrays of one shape.
    low, high: range of the state.
    """
    if fraction_bits <= 0:
        return np.clip(z + (increment << -fraction_bits), low, high)
    total = (z << fraction_bits) + increment
    quotient = total >> fraction_bits
    rest = total & ((1 << fraction_bits) - 1)
    half = 1 << (fraction_bits - 1)
    round_up = (rest > half) | ((rest == half) & (quotient & 1 == 1))
    return np.clip(quotient + round_up, low, high)
