"""What is stored where: each weight and threshold memory, line buffer, FIFO and loop feedback of a hardware graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from finn_flow.estimates.memories import is_shift_register
from finn_flow.report.data import Memory
from finn_flow.transformations.bodies import LOOP_OPS, loop_body

STYLES = {"distributed": "LUTs", "block": "block RAM", "ultra": "ultra RAM"}
SHIFT_REGISTERS = "shift registers"
BY_SYNTHESIS = "left to synthesis"

Found = Iterator[tuple[str, int, str]]
"""What a memory holds, its bits, its style."""


def memory_map(model: ModelWrapper, part: str) -> list[Memory]:
    """Return the memories of all nodes in graph order, bodies included, with the bits that they must hold.

    Registers of the data path (windows, pipelines, queues of a few words) are not listed.

    Parameters
    ----------
    part
        FPGA part, by which FINN's FIFOs choose their memory.
    """
    return list(_memories(model, "", part))


def _memories(model: ModelWrapper, loop: str, part: str) -> Iterator[Memory]:
    for node in model.graph.node:
        for holds, bits, style in _constants(model, node):
            yield Memory(node=node.name, loop=loop, holds=holds, bits=bits, style=style)
        for holds, bits, style in _BUFFERS.get(node.op_type, _none)(getCustomOp(node), part):
            yield Memory(node=node.name, loop=loop, holds=holds, bits=bits, style=style)
        if node.op_type in LOOP_OPS:
            yield from _memories(loop_body(node), node.name, part)


def _constants(model: ModelWrapper, node: NodeProto) -> Found:
    op = getCustomOp(node)
    for ind, name in enumerate(node.input):
        values = model.get_initializer(name)
        if values is not None:
            if "Requantisation" in node.op_type:
                bits = values.size // 2 * op.word_bits // op.get_nodeattr("PE")
                yield "multipliers and offsets", bits, _constants_style(op)
                continue
            thresholds = "Thresholding" in node.op_type
            bits = values.size * op.get_input_datatype(ind).bitwidth()
            yield "thresholds" if thresholds else "weights", bits, _constants_style(op)


def _constants_style(op: Any) -> str:
    attributes = op.get_nodeattr_types()
    if "depth_trigger_bram" in attributes:
        trigger = op.get_nodeattr("depth_trigger_bram")
        folds = op.get_nodeattr("NumChannels") // op.get_nodeattr("PE")
        deepest = folds << (op.get_nodeattr("numSteps").bit_length() - 1)
        if not trigger:
            return BY_SYNTHESIS
        return STYLES["block"] + f" from {trigger} words on, else LUTs" if deepest >= trigger else STYLES["distributed"]
    # The style of a depthwise convolution is that of its line buffers.
    if "ram_style" in attributes and op.onnx_node.op_type != "DepthwiseConv_rtl":
        return _style(op.get_nodeattr("ram_style"))
    return BY_SYNTHESIS


def _style(ram_style: str) -> str:
    return STYLES.get(ram_style, BY_SYNTHESIS)


def _none(op: Any, part: str) -> Found:
    return iter(())


def _replay(op: Any, part: str) -> Found:
    """Return a matrix-vector unit with fewer lanes than rows reads its input several times."""
    if op.get_nodeattr("MH") > op.get_nodeattr("PE"):
        yield "input to repeat", op.get_nodeattr("MW") * op.get_input_datatype(0).bitwidth(), BY_SYNTHESIS


def _window(op: Any, part: str) -> Found:
    bits = op.get_buffer_depth() * op.get_nodeattr("SIMD") * op.get_input_datatype(0).bitwidth()
    yield "line buffer", bits, _style(op.get_nodeattr("ram_style"))


def _depthwise(op: Any, part: str) -> Found:
    row = op.get_nodeattr("IFMDim")[1] * op.get_nodeattr("NumChannels") * op.get_input_datatype(0).bitwidth()
    yield "line buffer", (op.get_nodeattr("Kernel") - 1) * row, _style(op.get_nodeattr("ram_style"))


def _sums(op: Any, part: str) -> Found:
    yield "partial sums", op.get_nodeattr("NumChannels") * op.get_output_datatype(0).bitwidth(), SHIFT_REGISTERS


def _fifo(op: Any, part: str) -> Found:
    if is_shift_register(op.onnx_node):
        style = SHIFT_REGISTERS
    elif op.uram_estimation(part):
        style = STYLES["ultra"]
    else:
        style = STYLES["block" if op.bram_estimation(part) else "distributed"]
    yield "FIFO", op.get_nodeattr("depth") * op.get_instream_width(), style


def _loop(op: Any, part: str) -> Found:
    parameters = op.core_parameters({})
    styles = {fifo: STYLES[parameters[f"{fifo.upper()}_RAM_STYLE"].strip('"')] for fifo in ("feedback", "input")}
    yield "feedback", op.feedback_fifo_bits, styles["feedback"]
    yield "next frame", parameters["DATA_WIDTH"] * parameters["WORDS_PER_FRAME"], styles["input"]


_BUFFERS: dict[str, Callable[[Any, str], Found]] = {
    "ConvolutionInputGenerator_rtl": _window,
    "DepthwiseConv_rtl": _depthwise,
    "GlobalSumPool_rtl": _sums,
    "MVAU_rtl": _replay,
    "ODELoop_rtl": _loop,
    "StreamingFIFO_rtl": _fifo,
}
