"""What a node costs: estimated resources, and one figure to compare them by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from onnx import NodeProto
from qonnx.custom_op.registry import getCustomOp

from custom_ops.memory import bram_18k, luts_of_memory
from finn_flow.errors import UserError
from finn_flow.folding.options import light_copy
from finn_flow.report.board import BOARD_RESOURCES

Resources = dict[str, float]
"""Amounts by the board's resource names; a resource that is missing is not used."""

NodeResources = Callable[[NodeProto, str], Resources]
"""Estimate of a node at its folding, for an FPGA part."""

_LUTRAM = {"ZCU104": 101_760}
"""LUTs of the board's SLICEMs, the only ones that can be RAM (Zynq UltraScale+ product tables, distributed RAM)."""

_RAM_STYLES = ("ram_style", "feedback_ram_style", "input_ram_style")
_SHIFT_REGISTER_WORDS = 33
_DSP_PREADDER_BITS = 27


def node_resources(node: NodeProto, part: str) -> Resources:
    """Estimate a node as it is folded: LUT, those of them that are RAM, DSP, BRAM36 (in halves) and URAM.

    The node's own estimate, except for FINN's MVAU_rtl and Thresholding_rtl, which count neither their logic nor
    distributed memories nor how many products share a DSP.
    """
    instance = getCustomOp(node)
    if node.op_type == "MVAU_rtl":
        return _mvau(node)
    if node.op_type == "Thresholding_rtl":
        return _thresholding(node)
    luts = float(instance.lut_estimation(part))
    return {
        "LUT": luts,
        "LUTRAM": luts - _luts_without_ram(node, part),
        "DSP": float(instance.dsp_estimation(part)),
        "BRAM36": instance.bram_estimation(part) / 2,
        "URAM": float(instance.uram_estimation(part)),
    }


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


def products_per_dsp(weight_bits: int, activation_bits: int) -> int:
    """Return how many PEs one DSP48E2 of an MVAU_rtl serves.

    Source: lane slicing in `finn-rtllib/mvu/mvu.sv` for weights that use their full range.
    """
    return 1 + (_DSP_PREADDER_BITS - 1 - weight_bits) // (weight_bits + activation_bits - 1)


def _luts_without_ram(node: NodeProto, part: str) -> float:
    """LUTs of a node with all its RAM in blocks."""
    if is_shift_register(node):
        return float(getCustomOp(node).lut_estimation(part))
    trial = light_copy(node)
    instance = getCustomOp(trial)
    for name in set(_RAM_STYLES) & set(instance.get_nodeattr_types()):
        instance.set_nodeattr(name, "block")
    return float(instance.lut_estimation(part))


def _mvau(node: NodeProto) -> Resources:
    instance = getCustomOp(node)
    pe, simd = instance.get_nodeattr("PE"), instance.get_nodeattr("SIMD")
    rows, columns = instance.get_nodeattr("MH"), instance.get_nodeattr("MW")
    weight = instance.get_input_datatype(1).bitwidth()
    activation = instance.get_input_datatype(0).bitwidth()
    accumulator = instance.get_output_datatype().bitwidth()
    weights = simd * pe * weight, rows * columns // (simd * pe)
    lane = weight + activation + 1
    adders = pe * ((simd - 1) * (lane + 2) + 2 * accumulator)
    replay = luts_of_memory(2 * simd * activation, columns // simd) if rows > pe else 0
    in_luts = instance.get_nodeattr("ram_style") == "distributed"
    return {
        "LUT": 120.0 + adders + replay + (luts_of_memory(*weights) if in_luts else 0),
        "DSP": float(math.ceil(pe / products_per_dsp(weight, activation)) * simd),
        "BRAM36": 0.0 if in_luts else bram_18k(*weights) / 2,
    }


def _thresholding(node: NodeProto) -> Resources:
    instance = getCustomOp(node)
    lanes = instance.get_nodeattr("PE")
    bits = instance.get_input_datatype(1).bitwidth()
    trigger = instance.get_nodeattr("depth_trigger_bram")
    luts, blocks = 0, 0
    for depth in threshold_depths(node):
        luts += bits // 2 + 4
        if trigger and depth >= trigger:
            blocks += bram_18k(bits, depth)
        else:
            luts += luts_of_memory(bits, depth)
    return {"LUT": 40.0 + lanes * luts, "BRAM36": lanes * blocks / 2}


def is_shift_register(node: NodeProto) -> bool:
    """Return whether a node is a FIFO that is a shift register, whatever its ``ram_style``."""
    return node.op_type == "StreamingFIFO_rtl" and getCustomOp(node).get_nodeattr("depth") <= _SHIFT_REGISTER_WORDS


def threshold_depths(node: NodeProto) -> list[int]:
    """Return the words of each stage's memory in one lane of a Thresholding_rtl."""
    instance = getCustomOp(node)
    folds = instance.get_nodeattr("NumChannels") // instance.get_nodeattr("PE")
    return [folds << stage for stage in range(instance.get_output_datatype().bitwidth())]
