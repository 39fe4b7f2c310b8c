"""Where the windows of convolutions and pools lie, from the attributes of their nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onnx import NodeProto, helper

from custom_ops.window_reduce.reference import Window


def attributes(node: NodeProto) -> dict[str, Any]:
    """Return the attributes of a node by name."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def window_of(node: NodeProto, kernel: Sequence[int]) -> Window:
    """Where a convolution's or pool's windows lie; one spatial axis counts as rows."""
    options = attributes(node)
    axes = len(kernel)
    stride, dilation = options.get("strides", [1] * axes), options.get("dilations", [1] * axes)
    pads = options.get("pads", [0] * 2 * axes)
    if axes == 1:
        return Window((kernel[0], 1), (stride[0], 1), (dilation[0], 1), (pads[0], 0, pads[1], 0))
    return Window(
        (kernel[0], kernel[1]), (stride[0], stride[1]), (dilation[0], dilation[1]), (pads[0], pads[1], pads[2], pads[3])
    )
