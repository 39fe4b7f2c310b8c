"""Which memory holds what: LUTs, block RAM or ultra RAM for each weight, threshold, line buffer and FIFO."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from finn_flow.estimates.boards import board_resources
from finn_flow.estimates.memories import is_shift_register, node_resources, threshold_depths
from finn_flow.folding.options import apply_folding
from finn_flow.folding.resources import EstimateNode, cost
from finn_flow.transformations.bodies import change_bodies
from finn_flow.transformations.graph_editing import light_copy

Style = dict[str, int | str]
"""Attributes of one node that say where its memories are, or what multiplies."""

_ROM = ("distributed", "block")
_RAM = ("distributed", "block", "ultra")
_STYLES: dict[str, dict[str, tuple[str, ...]]] = {
    "MVAU_rtl": {"ram_style": _ROM},
    "DepthwiseConv_rtl": {"ram_style": ("distributed", "block"), "resType": ("lut", "dsp")},
    "Lookup_rtl": {"ram_style": _ROM},
    "WindowReduce_rtl": {"ram_style": _ROM},
    "ConvolutionInputGenerator_rtl": {"ram_style": _RAM},
    "ODELoop_rtl": {"feedback_ram_style": _RAM, "input_ram_style": _RAM},
    "StreamingFIFO_rtl": {"ram_style": (*_RAM, "auto")},
}


def memory_styles(node: NodeProto) -> list[Style]:
    """Return the styles that a node as it is folded may have, those in LUTs first; one empty style for no choice.

    Weights and thresholds never go to ultra RAM, which an UltraScale+ device cannot initialise. Neither do the line
    buffers of a depthwise convolution: a line is far shorter than the 4,096 words of one.
    """
    if node.op_type in ("Thresholding_rtl", "IndexedThresholding_rtl", "PositionThresholding_rtl"):
        depths = threshold_depths(node)
        return [{"depth_trigger_bram": depth} for depth in (depths[-1] + 1, *reversed(depths))]
    if is_shift_register(node):
        return [{"ram_style": "auto"}]
    if node.op_type in ("Requantisation_rtl", "IndexedRequantisation_rtl"):
        multipliers = ("dsp", "lut") if getCustomOp(node).fits_dsp() else ("lut",)
        return [{"ram_style": style, "resType": multiplier} for style in _ROM for multiplier in multipliers]
    options = _STYLES.get(node.op_type, {})
    return [dict(zip(options, values, strict=True)) for values in product(*options.values())]


class ChooseMemories(Transformation):
    """Give every FIFO and every loop, bodies included, the memory style of the least weighted cost.

    For after FIFOs are inserted and loops know their frames in flight: `fold_for_cycles` has chosen the styles of all
    other nodes, together with their folding. `board` and `part` weigh the resources and estimate them.
    """

    def __init__(self, board: str, part: str, resources: EstimateNode = node_resources) -> None:
        super().__init__()
        self.board, self.part, self.resources = board, part, resources

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        available = board_resources(self.board)
        change_bodies(model, self._apply_to_body)
        for node in model.graph.node:
            if node.op_type in ("StreamingFIFO_rtl", "ODELoop_rtl"):
                apply_folding(node, min(memory_styles(node), key=lambda style: self._cost(node, style, available)))
        return model, False

    def _apply_to_body(self, body: ModelWrapper) -> ModelWrapper:
        return self.apply(body)[0]

    def _cost(self, node: NodeProto, style: Mapping[str, int | str], available: dict[str, float]) -> float:
        trial = light_copy(node)
        apply_folding(trial, style)
        return cost(self.resources(trial, self.part, None), available)
