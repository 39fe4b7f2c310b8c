"""Hardware ops of the accelerator (FINN custom ops with RTL) and the ops that the transformations introduce.

qonnx finds the ops of the ONNX domain ``custom_ops`` in this module's ``custom_op``.
"""

from custom_ops.ode_loop.rolled import ODELoop

custom_op = {"ODELoop": ODELoop}
