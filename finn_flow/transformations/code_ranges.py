"""Which integers a tensor of a hardware graph can hold, channel by channel: interval arithmetic from node to node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class CodeRange:
    """Least and greatest code of each channel, [C]; never narrower than what occurs."""

    lowest: Integers
    highest: Integers

    def of_channels(self, channels: int) -> CodeRange:
        """Return the range of a flattened map, whose channels are those of its pixels one after the other."""
        if len(self.lowest) == channels:
            return self
        pixels, rest = divmod(channels, len(self.lowest))
        if rest:
            return CodeRange(np.full(channels, self.lowest.min()), np.full(channels, self.highest.max()))
        return CodeRange(np.tile(self.lowest, pixels), np.tile(self.highest, pixels))

    def with_zero(self) -> CodeRange:
        """Return the range with what padding adds to it."""
        return CodeRange(np.minimum(self.lowest, 0), np.maximum(self.highest, 0))


def code_range(model: ModelWrapper, tensor: str) -> CodeRange:
    """Return the range of a tensor [..., C], from its producers as far as they are known, else from its data type."""
    producer = model.find_producer(tensor)
    rule = None if producer is None else _RULES.get(producer.op_type)
    if producer is not None and rule is not None:
        return rule(model, producer)
    datatype, channels = model.get_tensor_datatype(tensor), model.get_tensor_shape(tensor)[-1]
    return CodeRange(np.full(channels, int(datatype.min())), np.full(channels, int(datatype.max())))


def _of_input(model: ModelWrapper, node: NodeProto) -> CodeRange:
    return code_range(model, node.input[0])


def _padded(model: ModelWrapper, node: NodeProto) -> CodeRange:
    return _of_input(model, node).with_zero()


def _thresholds(model: ModelWrapper, node: NodeProto) -> CodeRange:
    op: Any = getCustomOp(node)
    lowest = int(op.get_nodeattr("ActVal"))
    channels = int(op.get_nodeattr("NumChannels"))
    return CodeRange(np.full(channels, lowest), np.full(channels, lowest + int(op.get_nodeattr("numSteps"))))


def _windows(model: ModelWrapper, node: NodeProto) -> CodeRange:
    """Every pixel of a window has the channels of the image."""
    return _of_input(model, node).of_channels(model.get_tensor_shape(node.output[0])[-1])


def _products(found: CodeRange, weights: Integers) -> CodeRange:
    """Return the range of sums over the first axis of `weights` [inputs, outputs], each input with its range."""
    ends = np.stack([weights * found.lowest[:, None], weights * found.highest[:, None]])
    return CodeRange(ends.min(axis=0).sum(axis=0), ends.max(axis=0).sum(axis=0))


def _matrix(model: ModelWrapper, node: NodeProto) -> CodeRange:
    weights = model.get_initializer(node.input[1]).astype(np.int64)
    return _products(_of_input(model, node).of_channels(len(weights)), weights)


def _depthwise(model: ModelWrapper, node: NodeProto) -> CodeRange:
    """Any tap may lie in the padding."""
    taps = model.get_initializer(node.input[1]).astype(np.int64)
    taps = taps.reshape(len(taps), -1)
    found = _of_input(model, node).of_channels(len(taps)).with_zero()
    ends = np.stack([taps * found.lowest[:, None], taps * found.highest[:, None]])
    return CodeRange(ends.min(axis=0).sum(axis=1), ends.max(axis=0).sum(axis=1))


def _pooled(model: ModelWrapper, node: NodeProto) -> CodeRange:
    found, pixels = _of_input(model, node), int(np.prod(getCustomOp(node).get_nodeattr("ImgDim")))
    return CodeRange(found.lowest * pixels, found.highest * pixels)


_RULES: dict[str, Callable[[ModelWrapper, NodeProto], CodeRange]] = {
    "CascadeMVAU_rtl": _matrix,
    "ConstantMatrix_rtl": _matrix,
    "ConvolutionInputGenerator_rtl": _windows,
    "DepthwiseConv_rtl": _depthwise,
    "FMPadding_rtl": _padded,
    "Fork_rtl": _of_input,
    "GlobalSumPool_rtl": _pooled,
    "IndexedRequantisation_rtl": _thresholds,
    "IndexedThresholding_rtl": _thresholds,
    "MVAU_rtl": _matrix,
    "Requantisation_rtl": _thresholds,
    "Thresholding_rtl": _thresholds,
}
