"""FINN node of a factor and an offset for each channel."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType, DataType

from custom_ops.base import Attributes, Constants, HardwareOp, fifo_luts
from custom_ops.channel_affine.reference import channel_affine
from custom_ops.checks import check_divides, check_integer, check_length
from custom_ops.memory import hex_word, luts_of_rom
from custom_ops.streams import Stream
from finn_flow.errors import FlowError

_DSP_FACTOR_BITS, _DSP_VALUE_BITS = 18, 27


class ChannelAffine_rtl(HardwareOp):
    """A factor and an offset for each channel (`reference.channel_affine`).

    Inputs: x [*numInputVectors, NumChannels] stream; factors and offsets [NumChannels, 2]. Output: of x's shape.

    Cycles: one word per cycle.

    Attributes
    ----------
    NumChannels, PE
        Channels, and channels per word; PE divides NumChannels.
    numInputVectors
        Leading axes of the tensor, such as [1, 1, 1].
    inputDataType
        Integer of 2 to 32 bits.
    constantDataType
        Signed integer of 2 to 48 bits that holds factors and offsets.
    outputDataType
        Signed integer of 2 to 48 bits that holds every result.
    """

    core = "channel_affine"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/credit_fifo.sv",
        "channel_affine/rtl/channel_affine.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "inputDataType": ("s", True, ""),
            "constantDataType": ("s", True, ""),
            "outputDataType": ("s", True, ""),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        vectors = self.get_nodeattr("numInputVectors")
        check_length(name, "numInputVectors", vectors, max(len(vectors), 1))
        check_integer(name, "inputDataType", self.attribute_datatype("inputDataType"), (2, 32))
        for attribute in ("constantDataType", "outputDataType"):
            check_integer(name, attribute, self.attribute_datatype(attribute), (2, 48), signed=True)

    def _stream(self, attribute: str, port: str) -> Stream:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))
        return Stream(0, shape, self.attribute_datatype(attribute), self.get_nodeattr("PE"), port, attribute)

    def input_streams(self) -> list[Stream]:
        return [self._stream("inputDataType", "s_axis")]

    def output_streams(self) -> list[Stream]:
        return [self._stream("outputDataType", "m_axis")]

    def parameters(self) -> dict[int, tuple[tuple[int, ...], BaseDataType]]:
        return {1: ((self.get_nodeattr("NumChannels"), 2), self.attribute_datatype("constantDataType"))}

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return [channel_affine(inputs[0], inputs[1])]

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        self._check_results(constants[1])
        datatype = self.attribute_datatype("inputDataType")
        return {
            "CF": self.get_nodeattr("NumChannels") // self.get_nodeattr("PE"),
            "PE": self.get_nodeattr("PE"),
            "IN_BITS": datatype.bitwidth(),
            "IN_SIGNED": int(datatype.signed()),
            "CONSTANT_BITS": self.attribute_datatype("constantDataType").bitwidth(),
            "OUT_BITS": self.attribute_datatype("outputDataType").bitwidth(),
            "CONSTANT_FILE": f'"./{self.memory_file_name("constants")}"',
        }

    def _check_results(self, constants: NDArray[np.int64]) -> None:
        datatype = self.attribute_datatype("inputDataType")
        ends = np.array([[int(datatype.min())], [int(datatype.max())]]) * constants[:, 0] + constants[:, 1]
        narrowest = DataType.get_smallest_possible(min(int(ends.min()), -int(ends.max()) - 1, -1))
        if narrowest.bitwidth() > self.attribute_datatype("outputDataType").bitwidth():
            raise FlowError(f"{self.onnx_node.name}: outputDataType must hold {ends.min()} to {ends.max()}")

    def memory_files(self, constants: Constants) -> dict[str, list[str]]:
        """One word per fold: factor and offset of each of its channels."""
        bits = self.attribute_datatype("constantDataType").bitwidth()
        folds = constants[1].reshape(-1, 2 * self.get_nodeattr("PE"))
        return {self.memory_file_name("constants"): [hex_word(fold, bits) for fold in folds]}

    # Estimates

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return multiplications per frame, and constants."""
        stream = self.output_streams()[0]
        bits = self.attribute_datatype("constantDataType").bitwidth()
        return {
            f"op_mac_{stream.datatype.bitwidth()}b": stream.words * stream.pe,
            f"param_affine_{bits}b": 2 * self.get_nodeattr("NumChannels"),
        }

    def dsp_estimation(self, fpgapart: str) -> int:
        """Return the DSPs of one multiplier per lane, none for a few bits."""
        value = self.attribute_datatype("inputDataType").bitwidth()
        constant = self.attribute_datatype("constantDataType").bitwidth()
        if min(value, constant) < 5:
            return 0
        return int(self.get_nodeattr("PE")) * -(-value // _DSP_VALUE_BITS) * -(-constant // _DSP_FACTOR_BITS)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: constants, adders, and the output FIFO."""
        lanes = self.get_nodeattr("PE")
        bits = self.attribute_datatype("constantDataType").bitwidth()
        rom = luts_of_rom(2 * lanes * bits, self.get_nodeattr("NumChannels") // lanes)
        adders = lanes * self.attribute_datatype("outputDataType").bitwidth()
        return round(rom + adders) + fifo_luts(self.get_outstream_width(), 7) + 10
