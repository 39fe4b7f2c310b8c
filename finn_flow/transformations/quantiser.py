"""The rule by which a quantiser of the graph turns floats into codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.general.intquant import int_quant, max_int, min_int
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError

QUANTISERS = frozenset({"Quant", "IntQuant", "BipolarQuant"})
"""Operators of QONNX that quantise."""
MAX_BITS = 16
"""Widest activation: what the widest of the hardware nodes take."""


@dataclass(frozen=True)
class Quantiser:
    """A `Quant` node's parameters; its codes are counted from its zero-point, so that code 0 is the value 0.

    `scale` is the value of one code, one for the tensor or [1, 1, channels, 1]; `signed`, `narrow`, `bits` and
    `rounding` are as in QONNX. `bipolar` is a `BipolarQuant`: codes -1 and 1.
    """

    scale: NDArray[np.float32]
    bits: int = 1
    signed: bool = True
    narrow: bool = False
    rounding: str = "ROUND"
    zero_point: int = 0
    bipolar: bool = False

    @property
    def lowest(self) -> int:
        """Smallest code."""
        return -1 if self.bipolar else int(min_int(self.signed, self.narrow, self.bits)) - self.zero_point

    @property
    def highest(self) -> int:
        """Largest code."""
        return 1 if self.bipolar else int(max_int(self.signed, self.narrow, self.bits)) - self.zero_point

    def codes(self, values: NDArray[np.float32]) -> NDArray[np.int64]:
        """Codes of float32 `values`, computed as QONNX does."""
        if self.bipolar:
            return np.where(values >= 0, 1, -1)
        zero, bits = np.float32(self.zero_point), np.float32(self.bits)
        quantised = int_quant(values, self.scale, zero, bits, self.signed, self.narrow, self.rounding)
        return np.rint(quantised / self.scale).astype(np.int64)


def read_quantiser(model: ModelWrapper, node: NodeProto) -> Quantiser:
    """Return the rule of an activation's quantiser.

    Raises
    ------
    UserError
        Its parameters are no constants, or of a kind that has no integer form.
    """
    if node.op_type == "BipolarQuant":
        return Quantiser(_scale(node, model.get_initializer(node.input[1])), bipolar=True)
    scale, zero, bits = (model.get_initializer(name) for name in node.input[1:4])
    if zero is None or bits is None:
        raise UserError(f"{node.name}: zero-point and bit width must be constants, the same in every iteration")
    zero_points, widths = np.unique(zero), np.unique(bits)
    if zero_points.size != 1 or not float(zero_points[0]).is_integer():
        raise UserError(f"{node.name}: the zero-point must be one integer, not {np.ravel(zero)[:3].tolist()}")
    if widths.size != 1 or not float(widths[0]).is_integer() or not 1 <= widths[0] <= MAX_BITS:
        raise UserError(
            f"{node.name}: the bit width must be an integer from 1 to {MAX_BITS}, not {np.ravel(bits)[:3].tolist()}"
        )
    instance = getCustomOp(node)
    if widths[0] == 1 and instance.get_nodeattr("signed"):
        return Quantiser(_scale(node, scale), bipolar=True)
    return Quantiser(
        scale=_scale(node, scale),
        bits=int(widths[0]),
        signed=bool(instance.get_nodeattr("signed")),
        narrow=bool(instance.get_nodeattr("narrow")),
        rounding=instance.get_nodeattr("rounding_mode"),
        zero_point=int(zero_points[0]),
    )


def _scale(node: NodeProto, scale: NDArray[np.float32] | None) -> NDArray[np.float32]:
    if scale is None:
        raise UserError(f"{node.name}: the scale must be a constant, the same in every iteration; calibrate it")
    if np.any(scale <= 0) or not np.all(np.isfinite(scale)):
        raise UserError(f"{node.name}: the scale must be above 0, not {float(np.min(scale)):g}; calibrate it")
    if np.unique(scale).size == 1:
        return np.ravel(scale)[:1].astype(np.float32).reshape(1, 1, 1, 1)
    if scale.ndim < 2 or scale.size != scale.shape[1]:
        raise UserError(f"{node.name}: the scale must be one number or one per channel, not of shape {scale.shape}")
    return scale.astype(np.float32).reshape(1, 1, -1, 1)
