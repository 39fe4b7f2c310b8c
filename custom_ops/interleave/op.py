"""FINN node that puts streams side by side."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from custom_ops.base import Attributes, Constants, HardwareOp
from custom_ops.checks import check_at_least, check_divides, check_integer, check_length, check_one_of
from custom_ops.interleave.reference import interleave
from custom_ops.streams import Stream


class Interleave_rtl(HardwareOp):
    """Several tensors side by side in one (`reference.interleave`): the states that a solver's stages pass on.

    Inputs: `tensors` tensors [*numInputVectors, NumChannels]. Output: [*numInputVectors, tensors · NumChannels].

    Cycles: one word per cycle; a word of each input is taken together, and all of them make one word of the output.

    Attributes
    ----------
    tensors
        How many inputs there are, at least 2.
    NumChannels, PE
        Channels of an input, and channels per word of it; PE divides NumChannels.
    numInputVectors
        Leading axes of the tensors, such as [1, H, W].
    inputDataType
        Integer type of 1 to 64 bits.
    """

    core = "interleave"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/stream_queue.sv",
        "interleave/rtl/interleave.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "tensors": ("i", True, 0),
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "inputDataType": ("s", True, ""),
        }

    def validate(self) -> None:
        node = self.onnx_node
        tensors = self.get_nodeattr("tensors")
        check_at_least(node.name, "tensors", tensors, 2)
        check_one_of(node.name, "number of inputs", len(node.input), (tensors,))
        check_divides(node.name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        vectors = self.get_nodeattr("numInputVectors")
        check_length(node.name, "numInputVectors", vectors, max(len(vectors), 1))
        check_integer(node.name, "inputDataType", self.attribute_datatype("inputDataType"), (1, 64))

    def input_streams(self) -> list[Stream]:
        datatype = self.attribute_datatype("inputDataType")
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))
        return [
            Stream(i, shape, datatype, self.get_nodeattr("PE"), "s_axis", "inputDataType")
            for i in range(self.get_nodeattr("tensors"))
        ]

    def output_streams(self) -> list[Stream]:
        tensors = self.get_nodeattr("tensors")
        shape = (*self.get_nodeattr("numInputVectors"), tensors * self.get_nodeattr("NumChannels"))
        return [Stream(0, shape, self.attribute_datatype("inputDataType"), tensors * self.get_nodeattr("PE"), "m_axis")]

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return [interleave(inputs)]

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        bits = self.attribute_datatype("inputDataType").bitwidth()
        return {"N": self.get_nodeattr("tensors"), "PE": self.get_nodeattr("PE"), "BITS": bits}

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: a multiplexer per bit of the output's queue, and control."""
        return self.get_outstream_width() + 9
