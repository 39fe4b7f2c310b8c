"""Sliding windows reduced channel by channel, in integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """Where windows lie on a map; each pair is [rows, columns], `padding` is [top, left, bottom, right]."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int, int, int]

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of windows on a map of `size`; below 1 where none fits."""
        spans = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True)]
        padded = [n + self.padding[i] + self.padding[i + 2] for i, n in enumerate(size)]
        rows, columns = ((n - span) // s + 1 for n, span, s in zip(padded, spans, self.stride, strict=True))
        return rows, columns

    def taps(self, x: NDArray, outside: int) -> NDArray:
        """Return the values of each window of `x` [N, H, W, C], `outside` beyond the map: [N, OH, OW, taps, C]."""
        top, left, bottom, right = self.padding
        padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=outside)
        rows, columns = self.output_size((x.shape[1], x.shape[2]))
        (sh, sw), (dh, dw) = self.stride, self.dilation
        parts = [
            padded[:, ky * dh : ky * dh + sh * (rows - 1) + 1 : sh, kx * dw : kx * dw + sw * (columns - 1) + 1 : sw]
            for ky in range(self.kernel[0])
            for kx in range(self.kernel[1])
        ]
        return np.stack(parts, axis=3)


def window_reduce(x: Integers, window: Window, operation: str, weights: Integers | None = None) -> Integers:
    """Reduce each window of each channel to one number.

    Parameters
    ----------
    x
        Map [N, H, W, C].
    operation
        "max" (padding never wins), "sum" or "dot" (padding is 0).
    weights
        Of "dot", [C, KH, KW].
    """
    if operation == "max":
        return window.taps(x, np.iinfo(np.int64).min).max(axis=3)
    taps = window.taps(x, 0)
    if operation == "sum":
        return taps.sum(axis=3)
    assert weights is not None
    return np.einsum("nhwtc,ct->nhwc", taps, weights.reshape(len(weights), -1))
