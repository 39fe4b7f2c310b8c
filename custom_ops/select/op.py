"""FINN node that gives one of two streams, chosen by the iteration."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType, DataType

from custom_ops.base import Attributes, Constants, HardwareOp
from custom_ops.checks import check_at_least, check_divides, check_integer, check_length
from custom_ops.select.reference import select
from custom_ops.streams import Stream
from finn_flow.errors import FlowError


class Select_rtl(HardwareOp):
    """One of two tensors, chosen frame by frame (`reference.select`).

    Inputs: two tensors [*numInputVectors, NumChannels], streams `in0_V` and `in1_V`; choices [iterations] constant, 1
    for the first tensor and 0 for the second; index, one element, stream `in2_V` of one word per frame.
    Output: the choice, of their shape.

    Cycles: one word per cycle; a word of each input is taken together, whichever is wanted.

    Attributes
    ----------
    NumChannels, PE
        Channels, and channels per word; PE divides NumChannels.
    numInputVectors
        Leading axes of the tensors, such as [1, H, W].
    inputDataType
        Integer type of 1 to 64 bits.
    iterations
        Number of choices, at least 2; the index stream has the narrowest unsigned type that holds iterations - 1.
    """

    core = "select_stream"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/stream_queue.sv",
        "select/rtl/select_stream.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "inputDataType": ("s", True, ""),
            "iterations": ("i", True, 0),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        vectors = self.get_nodeattr("numInputVectors")
        check_length(name, "numInputVectors", vectors, max(len(vectors), 1))
        check_integer(name, "inputDataType", self.attribute_datatype("inputDataType"), (1, 64))
        check_at_least(name, "iterations", self.get_nodeattr("iterations"), 2, "one choice needs no index")

    def _stream(self, tensor: int, port: str) -> Stream:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))
        datatype = self.attribute_datatype("inputDataType")
        return Stream(tensor, shape, datatype, self.get_nodeattr("PE"), port, "inputDataType")

    def input_streams(self) -> list[Stream]:
        index = DataType.get_smallest_possible(self.get_nodeattr("iterations") - 1)
        return [self._stream(0, "s_axis"), self._stream(1, "s_axis"), Stream(3, (1,), index, 1, "s_axis_index")]

    def output_streams(self) -> list[Stream]:
        return [self._stream(0, "m_axis")]

    def parameters(self) -> dict[int, tuple[tuple[int, ...], BaseDataType]]:
        return {2: ((self.get_nodeattr("iterations"),), DataType["BINARY"])}

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        first, second, choices, index = inputs
        number = int(index.reshape(-1)[0])
        if not 0 <= number < len(choices):
            raise FlowError(f"{self.onnx_node.name}: index must be between 0 and {len(choices) - 1}, not {number}")
        return [select(first, second, bool(choices[number]))]

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        choices = "".join(str(int(choice)) for choice in constants[2][::-1])
        return {
            "DATA_WIDTH": self.get_outstream_width(),
            "WORDS": self.output_streams()[0].words,
            "ITERATIONS": len(choices),
            "FIRST": f"{len(choices)}'b{choices}",
        }

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: two multiplexers per bit, and control."""
        return 2 * self.get_outstream_width() + 30
