"""Exact integer thresholds of the float function that stands between integer codes and a quantiser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qonnx.custom_op.general.intquant import int_quant, max_int, min_int

FloatFunction = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Quantizer:
    """A `Quant` node's parameters: zero-point 0, one scale for the whole tensor.

    ``scale`` is the value of one code; ``signed``, ``narrow``, ``bits`` and ``rounding`` are as in QONNX.
    """

    scale: float
    bits: int
    signed: bool
    narrow: bool
    rounding: str

    @property
    def lowest(self) -> int:
        """Smallest code."""
        return int(min_int(self.signed, self.narrow, self.bits))

    @property
    def highest(self) -> int:
        """Largest code."""
        return int(max_int(self.signed, self.narrow, self.bits))

    @property
    def dtype_name(self) -> str:
        """Name of the QONNX data type of the codes."""
        return f"{'INT' if self.signed else 'UINT'}{self.bits}"

    def codes(self, values: NDArray[np.float32]) -> NDArray[np.int64]:
        """Codes of float32 ``values``, computed as QONNX does."""
        scale = np.float32(self.scale)
        zero, bits = np.float32(0), np.float32(self.bits)
        quantised = int_quant(values, scale, zero, bits, self.signed, self.narrow, self.rounding)
        return np.rint(quantised / scale).astype(np.int64)


def is_decreasing(function: FloatFunction, lowest: NDArray[np.int64], highest: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a monotone ``function`` of codes decreases between ``lowest`` and ``highest``, per element."""
    decreasing: NDArray[np.bool_] = function(highest.astype(np.float32)) < function(lowest.astype(np.float32))
    return decreasing


def find_thresholds(
    function: FloatFunction, quantizer: Quantizer, lowest: NDArray[np.int64], highest: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Smallest codes at which a non-decreasing float function reaches each level of ``quantizer``.

    The function is evaluated in float32, operation by operation as the graph states it, and bisected over the integer
    codes, so that the result agrees with the graph for every code, rounding ties included.

    Parameters
    ----------
    function : maps float32 codes of shape [..., n] to float32 values of the same shape, element by element; constants
        inside it may differ along the leading axes.
    quantizer : what follows the function; it has n = highest - lowest levels above its lowest code.
    lowest, highest : bounds of the codes, [..., 1].

    Returns
    -------
    Thresholds [..., n], ascending: the quantiser's code is its lowest code plus the number of thresholds at most the
    input code. A level that is never reached has the threshold ``highest + 1``.
    """
    levels = np.arange(quantizer.lowest + 1, quantizer.highest + 1)
    shape = np.broadcast_shapes(lowest.shape, levels.shape)
    low = np.broadcast_to(lowest, shape).copy()
    high = np.broadcast_to(highest + 1, shape).copy()
    while np.any(low < high):
        middle = (low + high) // 2
        reached = quantizer.codes(function(middle.astype(np.float32))) >= levels
        high = np.where(reached & (low < high), middle, high)
        low = np.where(~reached & (low < high), middle + 1, low)
    return low


@dataclass(frozen=True)
class ElementwiseOp:
    """A ReLU, or arithmetic with one constant operand that broadcasts against [iterations, channels, n]."""

    op_type: str
    constant: NDArray[np.float32] | None = None
    constant_first: bool = False

    def apply(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The node's float32 result."""
        if self.constant is None:
            return np.maximum(x, np.float32(0))
        first, second = (self.constant, x) if self.constant_first else (x, self.constant)
        result: NDArray[np.float32] = _BINARY[self.op_type](first, second)
        return result


_BINARY = {"Mul": np.multiply, "Add": np.add, "Sub": np.subtract, "Div": np.divide}
BINARY_OPS = frozenset(_BINARY)
UNARY_OPS = frozenset({"Relu"})


def compose(scale: NDArray[np.float64], ops: Sequence[ElementwiseOp]) -> FloatFunction:
    """The float function of integer codes: multiply by ``scale``, then apply ``ops`` in order, all in float32."""

    def function(codes: NDArray[np.float32]) -> NDArray[np.float32]:
        x = codes * scale.astype(np.float32)
        for op in ops:
            x = op.apply(x)
        return x

    return function
