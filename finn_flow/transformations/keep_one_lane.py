"""Hardware graphs that keep the time but not the values."""

from __future__ import annotations

from dataclasses import dataclass

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from finn_flow.transformations.bodies import change_bodies


@dataclass(frozen=True)
class _Lanes:
    """Where a node says how many channels it has, and which axis of its parameters (input 1) runs over them."""

    channels: str = "NumChannels"
    parameter_axis: int | None = None


LANES = {
    "CascadeMVAU_rtl": _Lanes("MH", parameter_axis=1),
    "ChannelAffine_rtl": _Lanes(parameter_axis=0),
    "Deinterleave_rtl": _Lanes(),
    "DepthwiseConv_rtl": _Lanes(parameter_axis=0),
    "Fork_rtl": _Lanes(),
    "GlobalSumPool_rtl": _Lanes(),
    "IndexedRequantisation_rtl": _Lanes(parameter_axis=1),
    "IndexedThresholding_rtl": _Lanes(parameter_axis=1),
    "Interleave_rtl": _Lanes(),
    "Lookup_rtl": _Lanes(parameter_axis=0),
    "MVAU_rtl": _Lanes("MH", parameter_axis=1),
    "ODEUpdate_rtl": _Lanes(),
    "PositionThresholding_rtl": _Lanes(parameter_axis=1),
    "Requantisation_rtl": _Lanes(parameter_axis=0),
    "Select_rtl": _Lanes(),
    "Thresholding_rtl": _Lanes(parameter_axis=0),
    "WindowReduce_rtl": _Lanes(parameter_axis=0),
}
"""The types of nodes with PE lanes."""


class KeepOneLane(Transformation):
    """Leave each node, in loop bodies too, one of its PE lanes: as many words at the same times, with fewer values.

    The lanes of these nodes do the same at the same time, whatever the data, so nothing about the time changes, while
    little of the arithmetic is left: such a graph simulates much faster. Its streams no longer fit together, its values
    mean nothing, and it cannot be executed in Python.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        change_bodies(model, lambda body: body.transform(KeepOneLane()))
        for node in model.graph.node:
            lanes = LANES.get(node.op_type)
            if lanes is None:
                continue
            op = getCustomOp(node)
            pe = int(op.get_nodeattr("PE"))
            op.set_nodeattr(lanes.channels, int(op.get_nodeattr(lanes.channels)) // pe)
            op.set_nodeattr("PE", 1)
            if lanes.parameter_axis is not None and len(node.input) > 1:
                _thin_parameter(model, node.input[1], lanes.parameter_axis, pe)
        return model, False


def _thin_parameter(model: ModelWrapper, name: str, axis: int, step: int) -> None:
    """Keep every `step`-th channel of a parameter; one that all channels share stays."""
    values = model.get_initializer(name)
    if values.shape[axis] > 1:
        datatype = model.get_tensor_datatype(name)
        model.set_initializer(name, values[(slice(None),) * axis + (slice(None, None, step),)])
        model.set_tensor_datatype(name, datatype)
