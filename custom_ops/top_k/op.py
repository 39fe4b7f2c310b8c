"""FINN node of the K largest logits."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import DataType

from custom_ops.base import Attributes, Constants, HardwareOp
from custom_ops.checks import check_at_least, check_divides, check_integer, check_length
from custom_ops.streams import Stream
from custom_ops.top_k.reference import top_k
from finn_flow.errors import UserError


class TopK_rtl(HardwareOp):
    """Positions of the K largest logits, largest first, the lowest position first among equals (`reference.top_k`).

    Input: logits [*numInputVectors, Labels], one vector per frame. Output: positions [*numInputVectors, K], one per
    word.

    Cycles: one logit per cycle whatever PE is, so max(Labels, K + 1) per frame.

    Attributes
    ----------
    Labels
        Number of logits C, at least 2.
    PE
        Logits per word; divides Labels.
    K
        Number of positions, 1 to Labels.
    numInputVectors
        Leading axes, all 1.
    inputDataType
        Integer of 1 to 48 bits. The output has the narrowest unsigned type that holds Labels - 1.
    """

    core = "top_k"
    rtl_sources: ClassVar[tuple[str, ...]] = ("rtl_common/stream_checker.sv", "top_k/rtl/top_k.sv")

    def op_attributes(self) -> Attributes:
        return {
            "Labels": ("i", True, 0),
            "PE": ("i", True, 0),
            "K": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "inputDataType": ("s", True, ""),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        labels, k = self.get_nodeattr("Labels"), self.get_nodeattr("K")
        check_at_least(name, "Labels", labels, 2)
        check_divides(name, "PE", self.get_nodeattr("PE"), "Labels", labels)
        if not 1 <= k <= labels:
            raise UserError(f"{name}: K must be between 1 and Labels, not K={k} with Labels={labels}")
        vectors = self.get_nodeattr("numInputVectors")
        check_length(name, "numInputVectors", vectors, max(len(vectors), 1))
        if set(vectors) != {1}:
            raise UserError(f"{name}: numInputVectors must be all 1, not {vectors}; one vector is one frame")
        check_integer(name, "inputDataType", self.attribute_datatype("inputDataType"), (1, 48))

    def input_streams(self) -> list[Stream]:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("Labels"))
        datatype = self.attribute_datatype("inputDataType")
        return [Stream(0, shape, datatype, self.get_nodeattr("PE"), "s_axis", "inputDataType")]

    def output_streams(self) -> list[Stream]:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("K"))
        return [Stream(0, shape, DataType.get_smallest_possible(self.get_nodeattr("Labels") - 1), 1, "m_axis")]

    def get_exp_cycles(self) -> int:
        """Return max(Labels, K + 1): a logit per cycle, and the K positions have to be out before the next ones."""
        return max(self.get_nodeattr("Labels"), self.get_nodeattr("K") + 1)

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return [top_k(inputs[0], self.get_nodeattr("K"))]

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        datatype = self.attribute_datatype("inputDataType")
        return {
            "LABELS": self.get_nodeattr("Labels"),
            "PE": self.get_nodeattr("PE"),
            "K": self.get_nodeattr("K"),
            "IN_BITS": datatype.bitwidth(),
            "IN_SIGNED": int(datatype.signed()),
        }

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: a comparator and a shifting register per position, the lane shifter and the output register."""
        bits = self.attribute_datatype("inputDataType").bitwidth()
        index = self.get_outstream_width()
        lanes, k = self.get_nodeattr("PE"), self.get_nodeattr("K")
        shifting = (k - 1) * (bits + 2 * index)
        return k * bits // 2 + shifting + (lanes > 1) * lanes * bits + 3 * index + 10
