"""Hardware ops of the accelerator (FINN custom ops with RTL) and the ops that the transformations introduce.

qonnx finds the ops of the ONNX domain `custom_ops` in this module's `custom_op`; the hardware ops are registered
under FINN's RTL domain, where FINN looks for RTL nodes.
"""

from custom_ops.channel_affine.integer_op import ChannelAffine
from custom_ops.deinterleave.integer_op import Deinterleave
from custom_ops.hardware import register_hardware_ops
from custom_ops.indexed_thresholding.integer_op import PositionThreshold
from custom_ops.interleave.integer_op import Interleave
from custom_ops.lookup.integer_op import Lookup
from custom_ops.ode_loop.rolled import ODELoop
from custom_ops.ode_update.integer_op import ODEUpdate
from custom_ops.select.integer_op import Select

custom_op = {
    "ChannelAffine": ChannelAffine,
    "Deinterleave": Deinterleave,
    "Interleave": Interleave,
    "Lookup": Lookup,
    "ODELoop": ODELoop,
    "ODEUpdate": ODEUpdate,
    "PositionThreshold": PositionThreshold,
    "Select": Select,
}
register_hardware_ops()
