"""FINN node of a matrix-vector unit that sums along cascades of DSPs."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from custom_ops.base import Attributes, Constants, fifo_luts
from custom_ops.checks import check_divides, check_integer, check_one_of
from custom_ops.matrix_product import MatrixProduct
from custom_ops.memory import hex_word, luts_of_rom
from finn_flow.errors import UserError

MOST_SIMD = 64
"""DSPs in a row: a column of the device has more than twice as many."""
MOST_WEIGHT_BITS = 65536
"""Bits of all weights together, which are one parameter of the core."""
_PACKED_BITS, _PACKED_SUM_BITS = 26, 24
"""Two products share a DSP if weight and sum, and the sum alone, have no more bits than these."""
_INPUT_BITS, _SUM_BITS = 18, 48
"""Of a DSP, both signed."""
_CONTROL_LUTS = 40
_DELAY_WORDS = 32
"""Most cycles of delay in one shift-register LUT."""
_LUTS_PER_ELEMENT = {1: 0.0, 2: 1.2, 4: 3.8}
"""Of the weights of an element, by the cycles of a vector: there are few functions of one or two bits; fitted."""
_LUTS_PER_WEIGHT_BIT = ((8, 0.94), (32, 0.5))
"""For more cycles, up to so many; fitted."""
_LUTRAM_PER_BIT = 0.58


class CascadeMVAU_rtl(MatrixProduct):
    """Matrix-vector product whose sums need no logic beside the DSPs.

    Inputs: x [*numInputVectors, MW] stream `in0_V`; weights [MW, MH] constant. Output: [*numInputVectors, MH]. It
    computes what an `MVAU_rtl` without activation does at the same folding. Each DSP multiplies one element with the
    weights of one or two outputs and adds what the DSP before it has summed up.

    Cycles: MW / SIMD * MH / PE per vector.

    Attributes
    ----------
    MW, MH
        Inputs and outputs.
    SIMD, PE
        Elements and outputs at a time; SIMD divides MW and is at most 64, PE divides MH.
    numInputVectors
        Leading axes of the tensor, such as [1, H, W].
    inputDataType
        Integer of at most 18 bits with a sign.
    weightDataType
        Integer of at most 18 bits.
    outputDataType
        Signed integer of at most 48 bits that holds every sum.
    """

    core = "cascade_mvau"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/credit_fifo.sv",
        "cascade_mvau/rtl/cascade_sums.sv",
        "cascade_mvau/rtl/cascade_mvau.sv",
    )

    def op_attributes(self) -> Attributes:
        return {**super().op_attributes(), "SIMD": ("i", True, 0), "PE": ("i", True, 0)}

    def validate(self) -> None:
        super().validate()
        name = self.onnx_node.name
        check_divides(name, "SIMD", self.get_nodeattr("SIMD"), "MW", self.get_nodeattr("MW"))
        check_divides(name, "PE", self.get_nodeattr("PE"), "MH", self.get_nodeattr("MH"))
        check_one_of(name, "SIMD", self.get_nodeattr("SIMD"), range(1, MOST_SIMD + 1))
        input_type = self.attribute_datatype("inputDataType")
        check_integer(name, "inputDataType", input_type, (1, _INPUT_BITS - int(not input_type.signed())))
        check_integer(name, "weightDataType", self.attribute_datatype("weightDataType"), (1, _INPUT_BITS))
        output = self.attribute_datatype("outputDataType")
        check_integer(name, "outputDataType", output, (2, _SUM_BITS))
        if not output.signed():
            raise UserError(f"{name}: outputDataType must be signed, not {output.name}")
        bits = self.get_nodeattr("MW") * self.get_nodeattr("MH") * self.weight_bits
        if bits > MOST_WEIGHT_BITS:
            raise UserError(f"{name}: the weights must have at most {MOST_WEIGHT_BITS:,} bits, not {bits:,}")

    @property
    def weight_bits(self) -> int:
        """Bits of a weight with a sign."""
        datatype = self.attribute_datatype("weightDataType")
        return int(datatype.bitwidth() + int(not datatype.signed()))

    @property
    def lanes(self) -> int:
        """Products per DSP."""
        sum_bits = self.attribute_datatype("outputDataType").bitwidth()
        packed = self.weight_bits + sum_bits <= _PACKED_BITS and sum_bits <= _PACKED_SUM_BITS
        return 2 if packed and self.get_nodeattr("PE") > 1 else 1

    @property
    def folds(self) -> tuple[int, int]:
        """Input words and output words of a vector."""
        return (
            self.get_nodeattr("MW") // self.get_nodeattr("SIMD"),
            self.get_nodeattr("MH") // self.get_nodeattr("PE"),
        )

    @property
    def elements_per_word(self) -> int:
        return int(self.get_nodeattr("SIMD"))

    @property
    def outputs_per_word(self) -> int:
        return int(self.get_nodeattr("PE"))

    def get_exp_cycles(self) -> int:
        """Return the initiation interval."""
        return math.prod(self.folds) * math.prod(self.get_nodeattr("numInputVectors"))

    # Code generation

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        datatype = self.attribute_datatype("inputDataType")
        folds, outputs = self.folds
        weights = self._column_weights(constants[1])
        return {
            "PE": self.get_nodeattr("PE"),
            "SIMD": self.get_nodeattr("SIMD"),
            "SF": folds,
            "NF": outputs,
            "IN_BITS": datatype.bitwidth(),
            "IN_SIGNED": int(datatype.signed()),
            "WEIGHT_BITS": self.weight_bits,
            "OUT_BITS": self.attribute_datatype("outputDataType").bitwidth(),
            "LANES": self.lanes,
            "WEIGHTS": f"{weights.size * self.weight_bits}'h{hex_word(weights, self.weight_bits)}",
        }

    def _column_weights(self, weights: NDArray[np.int64]) -> NDArray[np.int64]:
        """Weights in the core's order: element, then cycle of a vector, then output."""
        folds, outputs = self.folds
        parts = weights.reshape(folds, self.get_nodeattr("SIMD"), outputs, self.get_nodeattr("PE"))
        return parts.transpose(1, 2, 0, 3).reshape(-1)

    # Estimates

    def dsp_estimation(self, fpgapart: str) -> int:
        """Return one DSP per element and one or two outputs."""
        return int(self.get_nodeattr("SIMD")) * math.ceil(self.get_nodeattr("PE") / self.lanes)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: weights, delays of the elements, the vector's words, output FIFO."""
        simd, pe = self.get_nodeattr("SIMD"), self.get_nodeattr("PE")
        input_bits = self.attribute_datatype("inputDataType").bitwidth()
        folds, outputs = self.folds
        delays = input_bits * sum(math.ceil((s - 1) / _DELAY_WORDS) for s in range(2, simd))
        repeat = simd * input_bits * (1 if folds == 1 else 1 + _LUTRAM_PER_BIT) if outputs > 1 else 0
        fifo = fifo_luts(self.get_outstream_width(), (simd + 9) // folds + 2)
        weights = simd * self._luts_per_element(pe * self.weight_bits, folds * outputs)
        return round(weights + delays + repeat + fifo + _CONTROL_LUTS)

    @staticmethod
    def _luts_per_element(bits: int, cycles: int) -> float:
        """Return the LUTs of a memory of `cycles` words of `bits` bits."""
        if cycles <= max(_LUTS_PER_ELEMENT):
            return min(bits, next(luts for most, luts in _LUTS_PER_ELEMENT.items() if cycles <= most))
        fitted = next((luts for most, luts in _LUTS_PER_WEIGHT_BIT if cycles <= most), None)
        return bits * fitted if fitted is not None else luts_of_rom(bits, cycles)
