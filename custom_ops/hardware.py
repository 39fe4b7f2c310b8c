"""The hardware ops and their registration with FINN."""

from __future__ import annotations

from finn.custom_op.fpgadataflow import rtl

from custom_ops.base import HardwareOp
from custom_ops.cascade_mvau.op import CascadeMVAU_rtl
from custom_ops.channel_affine.op import ChannelAffine_rtl
from custom_ops.constant_matrix.op import ConstantMatrix_rtl
from custom_ops.deinterleave.op import Deinterleave_rtl
from custom_ops.depthwise_conv.op import DepthwiseConv_rtl
from custom_ops.fork.op import Fork_rtl
from custom_ops.global_sum_pool.op import GlobalSumPool_rtl
from custom_ops.indexed_thresholding.op import IndexedThresholding_rtl, PositionThresholding_rtl
from custom_ops.interleave.op import Interleave_rtl
from custom_ops.lookup.op import Lookup_rtl
from custom_ops.ode_loop.op import ODELoop_rtl
from custom_ops.ode_update.op import ODEUpdate_rtl
from custom_ops.requantisation.op import IndexedRequantisation_rtl, Requantisation_rtl
from custom_ops.select.op import Select_rtl
from custom_ops.top_k.op import TopK_rtl
from custom_ops.window_reduce.op import WindowReduce_rtl

DOMAIN = "finn.custom_op.fpgadataflow.rtl"
"""Domain of all hardware nodes, FINN's and ours."""

HARDWARE_OPS: tuple[type[HardwareOp], ...] = (
    CascadeMVAU_rtl,
    ChannelAffine_rtl,
    ConstantMatrix_rtl,
    Deinterleave_rtl,
    DepthwiseConv_rtl,
    Fork_rtl,
    GlobalSumPool_rtl,
    IndexedRequantisation_rtl,
    IndexedThresholding_rtl,
    Interleave_rtl,
    Lookup_rtl,
    ODELoop_rtl,
    ODEUpdate_rtl,
    PositionThresholding_rtl,
    Requantisation_rtl,
    Select_rtl,
    TopK_rtl,
    WindowReduce_rtl,
)


def register_hardware_ops() -> None:
    """Make `getCustomOp` find the hardware ops under FINN's RTL domain; calling it again changes nothing."""
    for op in HARDWARE_OPS:
        rtl.register_custom_op(op)
