"""FINN node of global sum pooling."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType, DataType
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.base import Attributes, Constants, HardwareOp, fifo_luts
from custom_ops.checks import check_divides, check_integer, check_length
from custom_ops.global_sum_pool.reference import global_sum_pool
from custom_ops.streams import Stream
from finn_flow.errors import UserError


class GlobalSumPool_rtl(HardwareOp):
    """Sum over all pixels, per channel (`reference.global_sum_pool`).

    Input: x [1, H, W, C]. Output: sums [1, 1, 1, C].

    Cycles: H*W*C/PE per frame; the next frame is taken while the sums go out.

    Attributes
    ----------
    NumChannels, PE
        Channels C, and channels per word; PE divides NumChannels.
    ImgDim
        [H, W].
    inputDataType
        Integer of 1 to 16 bits.
    outputDataType
        Integer that holds H*W times the input's range, signed as the input is.
    """

    core = "global_sum_pool"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/credit_fifo.sv",
        "global_sum_pool/rtl/global_sum_pool.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "ImgDim": ("ints", True, []),
            "inputDataType": ("s", True, ""),
            "outputDataType": ("s", True, ""),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        check_length(name, "ImgDim", self.get_nodeattr("ImgDim"), 2)
        datatype = self.attribute_datatype("inputDataType")
        check_integer(name, "inputDataType", datatype, (1, 16))
        output = self.attribute_datatype("outputDataType")
        check_integer(name, "outputDataType", output, (1, 25), signed=datatype.signed())
        narrowest = self._narrowest_output()
        if output.bitwidth() < narrowest.bitwidth():
            pixels = math.prod(self.get_nodeattr("ImgDim"))
            raise UserError(
                f"{name}: outputDataType must hold the sum of {pixels} values of {datatype.name}, not {output.name}; "
                f"use {narrowest.name}"
            )

    def _narrowest_output(self) -> BaseDataType:
        datatype = self.attribute_datatype("inputDataType")
        pixels = math.prod(self.get_nodeattr("ImgDim"))
        extreme = datatype.min() if datatype.signed() else datatype.max()
        return DataType.get_smallest_possible(int(extreme) * pixels)

    def minimize_accumulator_width(self, model: ModelWrapper, datatype_only: bool = False) -> BaseDataType:
        """Set `outputDataType` to the narrowest type that holds every sum."""
        narrowest = self._narrowest_output()
        self.set_nodeattr("outputDataType", narrowest.name)
        model.set_tensor_datatype(self.onnx_node.output[0], narrowest)
        return narrowest

    def input_streams(self) -> list[Stream]:
        shape = (1, *self.get_nodeattr("ImgDim"), self.get_nodeattr("NumChannels"))
        datatype = self.attribute_datatype("inputDataType")
        return [Stream(0, shape, datatype, self.get_nodeattr("PE"), "s_axis", "inputDataType")]

    def output_streams(self) -> list[Stream]:
        shape = (1, 1, 1, self.get_nodeattr("NumChannels"))
        return [Stream(0, shape, self.attribute_datatype("outputDataType"), self.get_nodeattr("PE"), "m_axis")]

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return [global_sum_pool(inputs[0])]

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        datatype = self.attribute_datatype("inputDataType")
        return {
            "PIXELS": math.prod(self.get_nodeattr("ImgDim")),
            "CF": self.get_nodeattr("NumChannels") // self.get_nodeattr("PE"),
            "PE": self.get_nodeattr("PE"),
            "IN_BITS": datatype.bitwidth(),
            "IN_SIGNED": int(datatype.signed()),
            "OUT_BITS": self.attribute_datatype("outputDataType").bitwidth(),
        }

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return the additions per frame."""
        stream = self.input_streams()[0]
        return {f"op_add_{self.attribute_datatype('outputDataType').bitwidth()}b": stream.words * stream.pe}

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: an adder per lane, the ring of partial sums and the output FIFO."""
        folds = self.get_nodeattr("NumChannels") // self.get_nodeattr("PE")
        width = self.get_outstream_width()
        ring = width * math.ceil((folds - 1) / 32)
        return width + ring + fifo_luts(width, max(folds, 4)) + 30
