"""What a node costs: estimated resources, and one figure to compare them by."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.custom_op.registry import getCustomOp

from finn_flow.errors import UserError
from finn_flow.folding.options import light_copy
from finn_flow.report.board import BOARD_RESOURCES
from finn_flow.synthesis.estimates import estimate_resources

Resources = dict[str, float]
"""Amounts by the board's resource names; a resource that is missing is not used."""

NodeResources = Callable[[NodeProto, str, NDArray[np.float32] | None], Resources]
"""Estimate of a node at its folding, for an FPGA part and with the node's constants."""

_LUTRAM = {"ZCU104": 101_760}
"""LUTs of the board's SLICEMs, the only ones that can be RAM (Zynq UltraScale+ product tables, distributed RAM)."""

_RAM_STYLES = ("ram_style", "feedback_ram_style", "input_ram_style")
_SHIFT_REGISTER_WORDS = 33


def node_resources(node: NodeProto, part: str, constants: NDArray[np.float32] | None = None) -> Resources:
    """Estimate a node as it is folded: LUT, those of them that are RAM, DSP, BRAM36 (in halves) and URAM.

    ``constants`` are the node's weights or thresholds, if they are known.
    """
    found: Resources = dict(estimate_resources(getCustomOp(node), part, constants))
    if not is_shift_register(node):
        found["LUTRAM"] = max(0.0, found["LUT"] - _luts_without_ram(node, part, constants))
    return found


def board_resources(board: str) -> Resources:
    """Return what a board has, with the LUTs that can be RAM as ``LUTRAM``.

    Raises
    ------
    UserError : a board whose resources are not known.
    """
    if board not in BOARD_RESOURCES:
        raise UserError(f"`board` must be one of {', '.join(BOARD_RESOURCES)}, not {board!r}")
    amounts = BOARD_RESOURCES[board] | {"LUTRAM": _LUTRAM[board]}
    return {name: float(amount) for name, amount in amounts.items()}


def cost(resources: Mapping[str, float], available: Mapping[str, float]) -> float:
    """Weigh resources: the sum of their shares of the board, in units of one LUT.

    A LUT that is RAM counts twice, among the LUTs and among the fewer that can be RAM.
    """
    return available["LUT"] * sum(amount / available[name] for name, amount in resources.items())


def _luts_without_ram(node: NodeProto, part: str, constants: NDArray[np.float32] | None) -> float:
    """LUTs of a node with all its RAM in blocks."""
    trial = light_copy(node)
    instance = getCustomOp(trial)
    for name in set(_RAM_STYLES) & set(instance.get_nodeattr_types()):
        instance.set_nodeattr(name, "block")
    return estimate_resources(instance, part, constants)["LUT"]


def is_shift_register(node: NodeProto) -> bool:
    """Return whether a node is a FIFO that is a shift register, whatever its ``ram_style``."""
    return node.op_type == "StreamingFIFO_rtl" and getCustomOp(node).get_nodeattr("depth") <= _SHIFT_REGISTER_WORDS


def threshold_depths(node: NodeProto) -> list[int]:
    """Return the words of each stage's memory in one lane of a Thresholding_rtl or IndexedThresholding_rtl."""
    instance = getCustomOp(node)
    if node.op_type == "IndexedThresholding_rtl":
        return list(instance.memory_depths())
    folds = instance.get_nodeattr("NumChannels") // instance.get_nodeattr("PE")
    return [folds << stage for stage in range(instance.get_nodeattr("numSteps").bit_length())]
