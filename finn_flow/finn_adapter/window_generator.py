"""What FINN's sliding window generator can be made for."""

from __future__ import annotations

from onnx import NodeProto
from qonnx.custom_op.registry import getCustomOp

from finn_flow.finn_adapter.environment import ensure_finn


def can_generate_windows(node: NodeProto, simd: int, parallel_window: int) -> bool:
    """Whether FINN can generate a ConvolutionInputGenerator_rtl with a folding; it is asked, because no rule says so.

    It cannot where none of its counters has two steps to count, as for one window of two values, and where a step is
    longer than its buffer.
    """
    ensure_finn()  # its settings say where its library is
    copy = NodeProto()
    copy.CopyFrom(node)
    op = getCustomOp(copy)
    op.set_nodeattr("SIMD", simd)
    op.set_nodeattr("parallel_window", parallel_window)
    try:
        generate = op.prepare_codegen_default if op.select_impl_style() == "default" else op.prepare_codegen_parallel
        generate()
    except Exception:  # whatever FINN raises: assertions, plain exceptions, logarithms of 0
        return False
    return True
