"""The legal foldings of each kind of hardware node."""

from __future__ import annotations

from collections.abc import Iterator

from onnx import NodeProto
from qonnx.custom_op.registry import getCustomOp

Folding = dict[str, int]
"""Folding attributes of one node: PE, SIMD, parallel_window."""

_CHANNEL_PARALLEL = {
    "DepthwiseConv_rtl": "NumChannels",
    "Fork_rtl": "NumChannels",
    "ODEUpdate_rtl": "NumChannels",
    "GlobalSumPool_rtl": "NumChannels",
    "IndexedThresholding_rtl": "NumChannels",
    "Thresholding_rtl": "NumChannels",
    "TopK_rtl": "Labels",
}


def divisors(number: int) -> list[int]:
    """All divisors of ``number``, ascending."""
    return [d for d in range(1, number + 1) if number % d == 0]


def legal_foldings(node: NodeProto) -> list[Folding]:
    """Every folding of ``node`` by itself, the least parallel first; empty for a node that has none of its own."""
    return sorted(_foldings(node), key=parallelism)


def parallelism(folding: Folding) -> int:
    """Relative amount of hardware of a folding: the product of its attributes; a parallel window counts last."""
    product = 1
    for name, value in folding.items():
        product *= value + 1 if name == "parallel_window" else value
    return product


def _foldings(node: NodeProto) -> Iterator[Folding]:
    instance = getCustomOp(node)
    if node.op_type in _CHANNEL_PARALLEL:
        for pe in divisors(instance.get_nodeattr(_CHANNEL_PARALLEL[node.op_type])):
            yield {"PE": pe}
    elif node.op_type == "MVAU_rtl":
        for pe in divisors(instance.get_nodeattr("MH")):
            for simd in divisors(instance.get_nodeattr("MW")):
                yield {"PE": pe, "SIMD": simd}
    elif node.op_type == "FMPadding_rtl":
        for simd in divisors(instance.get_nodeattr("NumChannels")):
            yield {"SIMD": simd}
    elif node.op_type == "ConvolutionInputGenerator_rtl":
        channels = instance.get_nodeattr("IFMChannels")
        for simd in divisors(channels):
            yield {"SIMD": simd, "parallel_window": 0}
        yield {"SIMD": channels, "parallel_window": 1}


def apply_folding(node: NodeProto, folding: Folding) -> None:
    """Set the attributes of ``folding`` on ``node``."""
    instance = getCustomOp(node)
    for name, value in folding.items():
        instance.set_nodeattr(name, value)


def folding_cycles(node: NodeProto, folding: Folding) -> int:
    """Cycles per frame (or per pass, in a loop body) of ``node`` under ``folding``; the node is left as it was."""
    trial = NodeProto()
    trial.CopyFrom(node)
    apply_folding(trial, folding)
    return int(getCustomOp(trial).get_exp_cycles())
