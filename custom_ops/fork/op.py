"""FINN node of the stream fork."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from custom_ops.base import Attributes, Constants, HardwareOp
from custom_ops.checks import check_at_least, check_divides, check_integer, check_length
from custom_ops.fork.reference import fork
from custom_ops.streams import Stream
from finn_flow.errors import UserError


class Fork_rtl(HardwareOp):
    """Copies of one stream (`reference.fork`).

    Input: x [*numInputVectors, NumChannels]. Outputs: NumOutputs copies of it, each with two words of its own
    buffer, so that one consumer may run ahead of another by two words.

    Cycles: one word per cycle.

    Attributes
    ----------
    NumOutputs
        Number of copies, at least 2; the node has as many outputs.
    NumChannels, PE
        Channels, and channels per word; PE divides NumChannels.
    numInputVectors
        Leading axes of the tensor, such as [1, H, W].
    inputDataType
        Integer type.
    """

    core = "fork_stream"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/stream_queue.sv",
        "fork/rtl/fork_stream.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "NumOutputs": ("i", True, 0),
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "inputDataType": ("s", True, ""),
        }

    def validate(self) -> None:
        node = self.onnx_node
        copies = self.get_nodeattr("NumOutputs")
        check_at_least(node.name, "NumOutputs", copies, 2)
        if len(node.output) != copies:
            raise UserError(
                f"{node.name}: NumOutputs must be the number of outputs, not {copies} with {len(node.output)} outputs"
            )
        check_divides(node.name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        vectors = self.get_nodeattr("numInputVectors")
        check_length(node.name, "numInputVectors", vectors, max(len(vectors), 1))
        check_integer(node.name, "inputDataType", self.attribute_datatype("inputDataType"), (1, 64))

    def _shape(self) -> tuple[int, ...]:
        return (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))

    def input_streams(self) -> list[Stream]:
        datatype = self.attribute_datatype("inputDataType")
        return [Stream(0, self._shape(), datatype, self.get_nodeattr("PE"), "s_axis", "inputDataType")]

    def output_streams(self) -> list[Stream]:
        datatype = self.attribute_datatype("inputDataType")
        copies = range(self.get_nodeattr("NumOutputs"))
        return [Stream(i, self._shape(), datatype, self.get_nodeattr("PE"), "m_axis") for i in copies]

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return fork(inputs[0], self.get_nodeattr("NumOutputs"))

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        return {"DATA_WIDTH": self.get_instream_width(), "N": self.get_nodeattr("NumOutputs")}

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: one multiplexer per bit and output, and control; fitted to open synthesis."""
        return self.get_nodeattr("NumOutputs") * (self.get_instream_width() + 9)
