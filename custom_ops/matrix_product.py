"""Common base of the ops that multiply vectors with a matrix of constants."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType

from custom_ops.base import Attributes, HardwareOp
from custom_ops.checks import check_at_least, check_length
from custom_ops.streams import Stream


class MatrixProduct(HardwareOp):
    """A product with a matrix of constants: what an `MVAU_rtl` without activation computes.

    Inputs: x [*numInputVectors, MW] stream `in0_V`; weights [MW, MH] constant. Output: [*numInputVectors, MH]. A
    subclass says how many elements and outputs a word has (`elements_per_word`, `outputs_per_word`).
    """

    def op_attributes(self) -> Attributes:
        return {
            "MW": ("i", True, 0),
            "MH": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "inputDataType": ("s", True, ""),
            "weightDataType": ("s", True, ""),
            "outputDataType": ("s", True, ""),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        check_at_least(name, "MW", self.get_nodeattr("MW"), 1)
        check_at_least(name, "MH", self.get_nodeattr("MH"), 1)
        vectors = self.get_nodeattr("numInputVectors")
        check_length(name, "numInputVectors", vectors, max(len(vectors), 1))

    @property
    def elements_per_word(self) -> int:
        """Elements of a vector in a word: all of them."""
        return int(self.get_nodeattr("MW"))

    @property
    def outputs_per_word(self) -> int:
        """Outputs in a word: all of them."""
        return int(self.get_nodeattr("MH"))

    def _stream(self, size: str, per_word: int, attribute: str, port: str) -> Stream:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr(size))
        return Stream(0, shape, self.attribute_datatype(attribute), per_word, port, attribute)

    def input_streams(self) -> list[Stream]:
        return [self._stream("MW", self.elements_per_word, "inputDataType", "s_axis")]

    def output_streams(self) -> list[Stream]:
        return [self._stream("MH", self.outputs_per_word, "outputDataType", "m_axis")]

    def parameters(self) -> dict[int, tuple[tuple[int, ...], BaseDataType]]:
        shape = (self.get_nodeattr("MW"), self.get_nodeattr("MH"))
        return {1: (shape, self.attribute_datatype("weightDataType"))}

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return [inputs[0] @ inputs[1]]

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return multiply-accumulates per frame, and weights."""
        shape, datatype = self.parameters()[1]
        bits, input_bits = datatype.bitwidth(), self.attribute_datatype("inputDataType").bitwidth()
        macs = math.prod(shape) * math.prod(self.get_nodeattr("numInputVectors"))
        return {f"op_mac_{input_bits}bx{bits}b": macs, f"param_weight_{bits}b": math.prod(shape)}
