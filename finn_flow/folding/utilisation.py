"""How much of the time the multipliers of an accelerator multiply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.transformations.bodies import loop_body, loops


@dataclass(frozen=True)
class MultiplierUse:
    """Work and multipliers of one node or of many.

    Parameters
    ----------
    name
        The node's.
    macs
        Multiply-accumulates per frame, all passes of a body; taps outside of the image count.
    multipliers
        Products per cycle, those of adders alone included.
    """

    name: str
    macs: int
    multipliers: int

    def utilisation(self, cycles_per_frame: int) -> float:
        """Part of the cycles in which a multiplier does work that counts, from 0 to 1."""
        return self.macs / (self.multipliers * cycles_per_frame)


def multiplier_use(model: ModelWrapper) -> list[MultiplierUse]:
    """Return the use of each node that multiplies, bodies included, in graph order."""
    return list(_uses(model, 1))


def total_use(uses: list[MultiplierUse]) -> MultiplierUse:
    """Return the sum."""
    return MultiplierUse("all", sum(use.macs for use in uses), sum(use.multipliers for use in uses))


def _uses(model: ModelWrapper, passes: int) -> Iterator[MultiplierUse]:
    for node in model.graph.node:
        multipliers = _multipliers(node)
        if multipliers:
            counts = getCustomOp(node).get_op_and_param_counts()
            macs = sum(count for name, count in counts.items() if name.startswith("op_mac"))
            yield MultiplierUse(node.name, int(macs) * passes, multipliers)
    for node in loops(model):
        yield from _uses(loop_body(node), passes * getCustomOp(node).get_nodeattr("iterations"))


def _multipliers(node: NodeProto) -> int:
    instance = getCustomOp(node)
    if node.op_type in ("CascadeMVAU_rtl", "MVAU_rtl"):
        return int(instance.get_nodeattr("PE") * instance.get_nodeattr("SIMD"))
    if node.op_type == "ConstantMatrix_rtl":
        return int(instance.get_nodeattr("MW") * instance.get_nodeattr("MH"))
    if node.op_type == "DepthwiseConv_rtl":
        return int(instance.get_nodeattr("PE") * instance.get_nodeattr("Kernel") ** 2)
    return 0
