"""One Euler update of the state in integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def ode_update(
    z: Integers, increment: Integers, fraction_bits: int, low: int, high: int, state_fraction_bits: int = 0
) -> Integers:
    """Add an increment to the state, round half to even, saturate.

    The scales of state and increment are the result's divided by 2^j and 2^k, j = `state_fraction_bits` and
    k = `fraction_bits`: `clip(round_half_even(z / 2^j + increment / 2^k), low, high)`, exactly.

    Parameters
    ----------
    z, increment
        Arrays of one shape.
    low, high
        Range of the result.
    """
    fraction = max(fraction_bits, state_fraction_bits, 0)
    total = (z << (fraction - state_fraction_bits)) + (increment << (fraction - fraction_bits))
    if not fraction:
        return np.clip(total, low, high)
    quotient = total >> fraction
    rest = total & ((1 << fraction) - 1)
    half = 1 << (fraction - 1)
    round_up = (rest > half) | ((rest == half) & (quotient & 1 == 1))
    return np.clip(quotient + round_up, low, high)
