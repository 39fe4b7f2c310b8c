"""Depthwise convolution in integers."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType

Integers = NDArray[np.int64]


def depthwise_conv(x: Integers, weights: Integers, stride: int) -> Integers:
    """Convolve each channel with its own kernel, zeros around the image.

    `y[n, i, j, c] = sum over u, v of x[n, i*stride + u - K//2, j*stride + v - K//2, c] * weights[c, u, v]`

    Parameters
    ----------
    x
        Images [N, H, W, C].
    weights
        Kernels [C, K, K], K odd.
    stride
        Step in both directions.

    Returns
    -------
    Integers
        Sums [N, ceil(H/stride), ceil(W/stride), C], exact.
    """
    pad = weights.shape[-1] // 2
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    windows = sliding_window_view(padded, weights.shape[1:], axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum("nijcuv,cuv->nijc", windows, weights)


def accumulator_bounds(weights: Integers, datatype: BaseDataType) -> tuple[int, int]:
    """Return the smallest and largest sum that inputs of `datatype` can give with `weights` [C, K, K].

    Any subset of the taps may be zero at a border, which both ends cover when 0 is an input value (it is for all
    integer types).
    """
    low, high = int(datatype.min()), int(datatype.max())
    products = np.stack([weights * low, weights * high])
    smallest = np.minimum(products.min(axis=0), 0).sum(axis=(1, 2)).min()
    largest = np.maximum(products.max(axis=0), 0).sum(axis=(1, 2)).max()
    return int(smallest), int(largest)
