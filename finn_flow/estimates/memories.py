"""What nodes take of the LUTs that can be RAM, and how deep their memories are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.custom_op.registry import getCustomOp

from finn_flow.estimates.nodes import estimate_resources
from finn_flow.transformations.graph_editing import light_copy

_RAM_STYLES = ("ram_style", "feedback_ram_style", "input_ram_style")
_SHIFT_REGISTER_WORDS = 33


def node_resources(node: NodeProto, part: str, constants: NDArray[np.float32] | None = None) -> dict[str, float]:
    """Estimate a node as it is folded: LUT, those of them that are RAM, DSP, BRAM36 (in halves) and URAM.

    `constants` are the node's weights or thresholds, if they are known.
    """
    found = dict(estimate_resources(getCustomOp(node), part, constants))
    if not is_shift_register(node):
        found["LUTRAM"] = max(0.0, found["LUT"] - _luts_without_ram(node, part, constants))
    return found


def _luts_without_ram(node: NodeProto, part: str, constants: NDArray[np.float32] | None) -> float:
    """LUTs of a node with all its RAM in blocks."""
    trial = light_copy(node)
    instance = getCustomOp(trial)
    for name in set(_RAM_STYLES) & set(instance.get_nodeattr_types()):
        instance.set_nodeattr(name, "block")
    return estimate_resources(instance, part, constants)["LUT"]


def is_shift_register(node: NodeProto) -> bool:
    """Return whether a node is a FIFO that is a shift register, whatever its `ram_style`."""
    return node.op_type == "StreamingFIFO_rtl" and getCustomOp(node).get_nodeattr("depth") <= _SHIFT_REGISTER_WORDS


def threshold_depths(node: NodeProto) -> list[int]:
    """Return the words of each stage's memory in one lane of a Thresholding_rtl or IndexedThresholding_rtl."""
    instance = getCustomOp(node)
    if node.op_type in ("IndexedThresholding_rtl", "PositionThresholding_rtl"):
        return list(instance.memory_depths())
    folds = instance.get_nodeattr("NumChannels") // instance.get_nodeattr("PE")
    return [folds << stage for stage in range(instance.get_nodeattr("numSteps").bit_length())]
