"""FINN node that takes one of several streams that lie side by side."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from custom_ops.base import Attributes, Constants, HardwareOp
from custom_ops.checks import check_at_least, check_divides, check_integer, check_length, check_one_of
from custom_ops.deinterleave.reference import deinterleave
from custom_ops.streams import Stream


class Deinterleave_rtl(HardwareOp):
    """One of several tensors that `Interleave_rtl` put side by side (`reference.deinterleave`).

    Input: x [*numInputVectors, tensors · NumChannels]. Output: [*numInputVectors, NumChannels].

    Cycles: one word per cycle.

    Attributes
    ----------
    tensors, position
        How many tensors lie side by side, at least 2, and which of them is wanted.
    NumChannels, PE
        Channels of the output, and channels per word of it; PE divides NumChannels.
    numInputVectors
        Leading axes of the tensors, such as [1, H, W].
    inputDataType
        Integer type of 1 to 64 bits.
    """

    core = "deinterleave"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/stream_queue.sv",
        "deinterleave/rtl/deinterleave.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "tensors": ("i", True, 0),
            "position": ("i", True, 0),
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "inputDataType": ("s", True, ""),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        tensors = self.get_nodeattr("tensors")
        check_at_least(name, "tensors", tensors, 2)
        check_one_of(name, "position", self.get_nodeattr("position"), range(tensors))
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        vectors = self.get_nodeattr("numInputVectors")
        check_length(name, "numInputVectors", vectors, max(len(vectors), 1))
        check_integer(name, "inputDataType", self.attribute_datatype("inputDataType"), (1, 64))

    def input_streams(self) -> list[Stream]:
        tensors = self.get_nodeattr("tensors")
        shape = (*self.get_nodeattr("numInputVectors"), tensors * self.get_nodeattr("NumChannels"))
        datatype = self.attribute_datatype("inputDataType")
        return [Stream(0, shape, datatype, tensors * self.get_nodeattr("PE"), "s_axis", "inputDataType")]

    def output_streams(self) -> list[Stream]:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))
        return [Stream(0, shape, self.attribute_datatype("inputDataType"), self.get_nodeattr("PE"), "m_axis")]

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return [deinterleave(inputs[0], self.get_nodeattr("tensors"), self.get_nodeattr("position"))]

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        return {
            "N": self.get_nodeattr("tensors"),
            "POSITION": self.get_nodeattr("position"),
            "PE": self.get_nodeattr("PE"),
            "BITS": self.attribute_datatype("inputDataType").bitwidth(),
        }

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: a multiplexer per bit of the output's queue, and control."""
        return self.get_outstream_width() + 9
