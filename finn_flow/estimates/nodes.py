"""Quick estimates of a node's resources, calibrated against open synthesis: no tool is run.

The nodes of this project estimate themselves. FINN estimates some of its RTL nodes not at all (no LUTs for an MVAU) or
for other hardware; those have a model here, which follows the structure of their RTL.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from custom_ops.fifo_memory import resolve_ram_style, uram
from custom_ops.memory import bram_18k, luts_of_rom

DSP_MULTIPLIER_BITS = 27
_EVEN_THRESHOLDS = 0.5
"""What thresholds that are the same for all channels, and so constants, take of LUTs; fitted."""
_MVAU_LUTS = 25
_MVAU_LUTS_PER_OUTPUT_BIT = 1.86
_LUTS_PER_ADDER_BIT = {"inner": 0.83, "last": 0.93}
_LUTS_PER_CARRY_BIT = 0.45
_LUTS_PER_CROSSING = 8.8
"""Of an MVAU: control, output queue, sums of the lanes of a DSP (the last one's are wider), and what a lane carries
into the next, per bit of its sum and per product; fitted."""
_RAMB18_COST = 129
_LUTRAM_COST = 16
"""Yosys's costs of a RAMB18 and of a RAM32M16 or RAM64M8, in its choice of an "auto" memory."""
_ROM_BITS_PER_COST = 64
_MERGED_ROM_LUTS_PER_BIT = ((16, 0.75), (64, 1.0))
"""LUTs per bit of a word of a read-only memory of more than 8 words whose kind is left to synthesis, fitted."""


def estimate_node(model: ModelWrapper, node: NodeProto, part: str) -> dict[str, float]:
    """Return `estimate_resources` of a node of `model`, with the weights or thresholds that it has there."""
    constants = model.get_initializer(node.input[1]) if len(node.input) > 1 else None
    return estimate_resources(getCustomOp(node), part, constants)


def estimate_resources(op: Any, part: str, constants: NDArray[np.float32] | None = None) -> dict[str, float]:
    """Return the estimate of one hardware node: LUT, DSP, BRAM36 (RAMB18 count half), URAM.

    Parameters
    ----------
    op
        The node's instance, from `getCustomOp`.
    part
        device.
    constants
        The node's weights or thresholds, where they are known; regular thresholds need less.
    """
    op_type = op.onnx_node.op_type
    if op_type in _WITH_CONSTANTS:
        return _WITH_CONSTANTS[op_type](op, constants)
    if op_type in _WITHOUT_CONSTANTS:
        return _WITHOUT_CONSTANTS[op_type](op, part)
    return {
        "LUT": int(op.lut_estimation(part)),
        "DSP": int(op.dsp_estimation(part)),
        "BRAM36": op.bram_estimation(part) / 2,
        "URAM": int(op.uram_estimation(part)),
    }


def depends_on_constants(op_type: str) -> bool:
    """Tell whether `estimate_resources` of such nodes heeds their constants."""
    return op_type in _WITH_CONSTANTS


def _figures(luts: float, brams_18k: int = 0, dsps: int = 0, urams: int = 0) -> dict[str, float]:
    return {"LUT": round(luts), "DSP": dsps, "BRAM36": brams_18k / 2, "URAM": urams}


def rom(width_bits: int, depth: int, style: str = "auto") -> tuple[float, int]:
    """Return LUTs and RAMB18 of a memory with contents that is only read."""
    blocks = bram_18k(width_bits, depth)
    if style == "block" or (style == "auto" and width_bits * depth / _ROM_BITS_PER_COST > _RAMB18_COST * blocks):
        return 0, blocks
    if style == "distributed" or depth <= 8:
        return luts_of_rom(width_bits, depth), 0
    fitted = next((share for limit, share in _MERGED_ROM_LUTS_PER_BIT if depth <= limit), depth / 64 * 4 / 3)
    return width_bits * fitted, 0


def ram(width_bits: int, depth: int, style: str = "auto", shared_address: bool = False) -> tuple[float, int, int]:
    """Return LUTs, RAMB18 and URAM of a memory with one write and one read port, or with one port for both."""
    blocks = bram_18k(width_bits, depth)
    if style == "ultra":
        return 0, 0, uram(width_bits, depth)
    # A primitive of eight LUTs: one of them only holds the write address where the read address is another.
    bits, words = (8, 64) if shared_address else (7, 64)
    bits, words = (2 * bits, words // 2) if depth <= words // 2 else (bits, words)
    if shared_address:
        while words < min(depth, 512):
            bits, words = bits // 2, words * 2
    primitives = math.ceil(width_bits / bits) * math.ceil(depth / words)
    if style == "block" or (style == "auto" and _LUTRAM_COST * primitives > _RAMB18_COST * blocks):
        return 0, blocks, 0
    if shared_address:
        return 8 * primitives, 0, 0
    return width_bits * 7 / bits * math.ceil(depth / words) + primitives, 0, 0


def dsp_lanes(weight_bits: int, input_bits: int, narrow: bool = False) -> int:
    """Return the products that a DSP48E2 computes at once in FINN's MVU.

    `narrow` says that no weight is the least value of its type.
    """
    return 1 + (DSP_MULTIPLIER_BITS - (not narrow) - weight_bits) // (weight_bits + input_bits - 1)


def _adder_tree(terms: int, bits: int) -> int:
    """Return the LUTs of a tree of two-input adders: one per bit of each sum."""
    luts = 0
    while terms > 1:
        luts += terms // 2 * bits
        terms = math.ceil(terms / 2)
        bits += 1
    return luts


def _mvu_luts(pe: int, simd: int, product_bits: int, sum_bits: int, lanes: int) -> float:
    """Return the LUTs of the sums beside the DSPs: each lane's, and what lanes carry into each other."""
    pipes = math.ceil(pe / lanes)
    inner = (pe - pipes) * _adder_tree(simd, product_bits)
    last = pipes * _adder_tree(simd, sum_bits)
    carries = (pe - pipes) * (_LUTS_PER_CROSSING * simd + _LUTS_PER_CARRY_BIT * sum_bits)
    return _LUTS_PER_ADDER_BIT["inner"] * inner + _LUTS_PER_ADDER_BIT["last"] * last + carries


def _mvau(op: Any, weights: NDArray[np.float32] | None) -> dict[str, float]:
    """MVU, replay buffer and weight ROM."""
    pe, simd = op.get_nodeattr("PE"), op.get_nodeattr("SIMD")
    rows, columns = op.get_nodeattr("MW"), op.get_nodeattr("MH")
    weight_type = op.get_input_datatype(1)
    weight_bits = weight_type.bitwidth()
    input_bits = op.get_input_datatype(0).bitwidth()
    sum_bits = op.get_output_datatype().bitwidth()
    luts, blocks = _weight_rom(pe * simd * weight_bits, rows * columns // (pe * simd), op.get_nodeattr("ram_style"))
    replay_luts, replay_blocks, _ = ram(simd * input_bits, rows // simd) if columns > pe else (0, 0, 0)
    lanes = dsp_lanes(weight_bits, input_bits, weights is not None and weights.min() > weight_type.min())
    dsps = math.ceil(pe / lanes) * simd
    if op.get_nodeattr("pumpedCompute"):
        dsps = math.ceil(dsps / 2)
    luts += _mvu_luts(pe, simd, weight_bits + input_bits, sum_bits, lanes) + replay_luts
    return _figures(luts + _MVAU_LUTS_PER_OUTPUT_BIT * pe * sum_bits + _MVAU_LUTS, blocks + replay_blocks, dsps)


def _weight_rom(width_bits: int, depth: int, style: str) -> tuple[float, int]:
    """Return LUTs and RAMB18 of the weights; equal columns of a small memory are merged."""
    if depth == 1:
        return 0, 0
    luts, blocks = rom(width_bits, depth, resolve_ram_style(style, width_bits, depth))
    return (min(luts, 2 ** (depth - 1)) if depth <= 8 else luts), blocks


def _thresholding(op: Any, thresholds: NDArray[np.float32] | None) -> dict[str, float]:
    """Per lane and stage of the binary search a memory of thresholds and a comparison; then an output queue."""
    lanes = op.get_nodeattr("PE")
    folds = op.get_nodeattr("NumChannels") // lanes
    stages = op.get_nodeattr("numSteps").bit_length()
    bits = max(op.get_input_datatype(0).bitwidth(), op.get_input_datatype(1).bitwidth())
    share = 1.0
    if thresholds is not None:
        bits = max(1, bits - _common_zero_bits(thresholds))
        if (thresholds == thresholds[:1]).all():
            # One quantiser for all channels: evenly spaced constants.
            folds, share = 1, _EVEN_THRESHOLDS
    # Equal words merge with the logic behind them, unless block RAM is asked for.
    words = 1 if thresholds is not None and len(thresholds) == 1 else op.get_nodeattr("NumChannels") // lanes
    trigger = op.get_nodeattr("depth_trigger_bram")
    luts, blocks = 0.0, 0
    for stage in range(stages):
        style = "auto" if not trigger else "block" if words << stage >= trigger else "distributed"
        memory, stage_blocks = rom(bits, (words if style == "block" else folds) << stage, style)
        luts += memory + bits / 2 + 3
        blocks += stage_blocks
    return _figures(lanes * luts * share + 25, lanes * blocks)


def _common_zero_bits(values: NDArray[np.float32]) -> int:
    """Return how many of the lowest bits differ in no value."""
    codes = values.astype(np.int64)
    differing = int(np.bitwise_or.reduce(np.bitwise_xor(codes, codes.flat[0]).reshape(-1)))
    return (differing & -differing).bit_length() - 1 if differing else 0


def _fifo(op: Any, part: str) -> dict[str, float]:
    """Memory and control; the memory's kind is the one that FINN's FIFO chooses. Nothing reads its counters."""
    width, depth = op.get_instream_width_padded(), op.get_nodeattr("depth")
    blocks, urams = op.bram_estimation(part), op.uram_estimation(part)
    if urams:
        luts = width + 50  # a queue of 16 words behind the memory
    elif blocks:
        luts = 30
    elif depth <= 33:
        luts = width + 13
    elif depth <= 64 and width < 12:
        luts = 3 * width + 15
    else:
        # One word waits in the output register.
        luts = ram(width, depth - 1, "distributed")[0] + width * (depth > 65) + 22
    return _figures(luts, blocks, 0, urams)


def _window_generator(op: Any, part: str) -> dict[str, float]:
    """One cyclic buffer, or one per line of a parallel window, and counters of its address width."""
    width = op.get_nodeattr("SIMD") * op.get_input_datatype(0).bitwidth()
    depth = op.get_buffer_depth()
    style = op.get_nodeattr("ram_style")
    address_bits = math.ceil(math.log2(depth))
    if op.select_impl_style() == "default":
        luts, blocks, urams = ram(width, depth, style)
        return _figures(90 + 16 * address_bits + luts, blocks, 0, urams)
    lines = op.get_nodeattr("ConvKernelDim")[0] - 1
    words = op.get_nodeattr("IFMDim")[1] - op.get_nodeattr("ConvKernelDim")[1]
    luts, blocks, urams = ram(width, words * op.get_nodeattr("IFMChannels") // op.get_nodeattr("SIMD"), style)
    return _figures(15 * address_bits + lines * luts, lines * blocks, 0, lines * urams)


def _width_converter(op: Any, part: str) -> dict[str, float]:
    """Estimate registers that are filled or emptied bit by bit; a ratio that is no integer needs shifters."""
    width, out_width = op.get_nodeattr("inWidth"), op.get_nodeattr("outWidth")
    if out_width % width == 0:
        return _figures(19 + out_width / 4)
    if width % out_width == 0:
        return _figures(25 + 3.25 * width)
    return _figures(3 * max(width, out_width))


def _padding(op: Any, part: str) -> dict[str, float]:
    """Counters, and a multiplexer with zeros per bit."""
    return _figures(25 + 0.92 * op.get_instream_width())


def _constant_matrix(op: Any, weights: NDArray[np.float32] | None) -> dict[str, float]:
    """Adders of the weights, as the node knows them."""
    return _figures(op.lut_estimation("") if weights is None else op.luts(weights))


_WITH_CONSTANTS: dict[str, Callable[[Any, NDArray[np.float32] | None], dict[str, float]]] = {
    "ConstantMatrix_rtl": _constant_matrix,
    "MVAU_rtl": _mvau,
    "Thresholding_rtl": _thresholding,
}
_WITHOUT_CONSTANTS: dict[str, Callable[[Any, str], dict[str, float]]] = {
    "ConvolutionInputGenerator_rtl": _window_generator,
    "FMPadding_rtl": _padding,
    "StreamingDataWidthConverter_rtl": _width_converter,
    "StreamingFIFO_rtl": _fifo,
}
