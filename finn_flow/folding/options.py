"""The legal foldings of each kind of hardware node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onnx import NodeProto
from qonnx.custom_op.registry import getCustomOp

from custom_ops.cascade_mvau.op import MOST_SIMD
from finn_flow.errors import UserError
from finn_flow.finn_adapter.window_generator import can_generate_windows

Folding = dict[str, int | str]
"""Folding attributes of one node: PE, SIMD, parallel_window; memory styles may be among them."""

_CHANNEL_PARALLEL = {
    "ChannelAffine_rtl": "NumChannels",
    "Deinterleave_rtl": "NumChannels",
    "DepthwiseConv_rtl": "NumChannels",
    "Fork_rtl": "NumChannels",
    "Interleave_rtl": "NumChannels",
    "Lookup_rtl": "NumChannels",
    "ODEUpdate_rtl": "NumChannels",
    "GlobalSumPool_rtl": "NumChannels",
    "IndexedRequantisation_rtl": "NumChannels",
    "IndexedThresholding_rtl": "NumChannels",
    "PositionThresholding_rtl": "NumChannels",
    "Requantisation_rtl": "NumChannels",
    "Select_rtl": "NumChannels",
    "Thresholding_rtl": "NumChannels",
    "TopK_rtl": "Labels",
    "WindowReduce_rtl": "NumChannels",
}


def divisors(number: int) -> list[int]:
    """All divisors of `number`, ascending."""
    return [d for d in range(1, number + 1) if number % d == 0]


def legal_foldings(node: NodeProto) -> list[Folding]:
    """Every folding of `node` by itself, the least parallel first; empty for a node that has none of its own.

    A loop's is the width of its state stream.
    """
    return sorted(_foldings(node), key=_parallelism)


def matching_foldings(node: NodeProto, pinned: Mapping[str, Any]) -> list[Folding]:
    """Every legal folding of `node` that has the attributes of `pinned`; others of its attributes do not matter.

    Raises
    ------
    UserError
        There is none.
    """
    foldings = legal_foldings(node)
    matching = [folding for folding in foldings if all(folding[key] == pinned[key] for key in folding if key in pinned)]
    if foldings and not matching:
        keys = [key for key in foldings[0] if key in pinned]
        legal = sorted({tuple(folding[key] for key in keys) for folding in foldings})
        raise UserError(
            f"folding config: {node.name}: {', '.join(keys)} must be one of "
            f"{', '.join(' x '.join(map(str, values)) for values in legal)}, "
            f"not {' x '.join(str(pinned[key]) for key in keys)}"
        )
    return matching


def _parallelism(folding: Folding) -> int:
    product = 1
    for name, value in folding.items():
        product *= int(value) + 1 if name == "parallel_window" else int(value)
    return product


def _foldings(node: NodeProto) -> Iterator[Folding]:
    instance = getCustomOp(node)
    if node.op_type in _CHANNEL_PARALLEL:
        for pe in divisors(instance.get_nodeattr(_CHANNEL_PARALLEL[node.op_type])):
            yield {"PE": pe}
    elif node.op_type == "ODELoop_rtl":
        for pe in divisors(instance.get_normal_input_shape(0)[-1]):
            yield {"PE": pe}
    elif node.op_type in ("CascadeMVAU_rtl", "MVAU_rtl"):
        most = MOST_SIMD if node.op_type == "CascadeMVAU_rtl" else instance.get_nodeattr("MW")
        for pe in divisors(instance.get_nodeattr("MH")):
            for simd in divisors(instance.get_nodeattr("MW")):
                if simd <= most:
                    yield {"PE": pe, "SIMD": simd}
    elif node.op_type == "FMPadding_rtl":
        for simd in divisors(instance.get_nodeattr("NumChannels")):
            yield {"SIMD": simd}
    elif node.op_type == "ConvolutionInputGenerator_rtl":
        channels = instance.get_nodeattr("IFMChannels")
        for simd, parallel in [*((simd, 0) for simd in divisors(channels)), (channels, 1)]:
            if can_generate_windows(node, simd, parallel):
                yield {"SIMD": simd, "parallel_window": parallel}


def apply_folding(node: NodeProto, folding: Mapping[str, int | str]) -> None:
    """Set the attributes of `folding` on `node`."""
    instance = getCustomOp(node)
    for name, value in folding.items():
        instance.set_nodeattr(name, value)
