"""FINN nodes of requantisation by multiplication, addition and shift."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType, DataType

from custom_ops.base import Attributes, Constants, HardwareOp
from custom_ops.checks import check_at_least, check_divides, check_integer, check_length, check_one_of
from custom_ops.fifo_memory import resolve_ram_style
from custom_ops.memory import hex_word
from custom_ops.requantisation import writable
from custom_ops.requantisation.coefficients import MOST_SHIFT
from custom_ops.requantisation.estimates import brams_18k, luts
from custom_ops.requantisation.reference import requantise
from custom_ops.streams import Stream
from custom_ops.wrapper import PlainPort
from finn_flow.errors import FlowError, UserError

MULTIPLIER_BITS = 26
OFFSET_BITS = 48
"""Limits of the DSP48E2: an unsigned multiplier beside a sign bit, and a sum."""
PARAMETER_TYPE = DataType[f"INT{OFFSET_BITS}"]
"""Type of multipliers and offsets in the graph, where they are float64, which holds them exactly."""

_LANES_SOURCES = (
    "rtl_common/stream_checker.sv",
    "rtl_common/credit_fifo.sv",
    "requantisation/rtl/requantisation_parameters.sv",
    "requantisation/rtl/requantisation_lane.sv",
    "requantisation/rtl/requantisation_lanes.sv",
)


class Requantisation_rtl(HardwareOp):
    """Codes by multiplication, addition, shift and clip, per channel (`reference.requantise`).

    Inputs: x [*numInputVectors, NumChannels] stream `in0_V`; parameters [NumChannels or 1, 2] constant, each row a
    multiplier and an offset. Output: codes of x's shape.

    Cycles: one word per cycle.

    Attributes
    ----------
    NumChannels, PE
        Channels, and channels per word; PE divides NumChannels.
    numInputVectors
        Leading axes of the tensor, such as [1, H, W].
    ActVal, numSteps
        Least code, and how many there are above it; as of the thresholds that it stands for.
    shift
        Bits that are dropped after the addition, 0 to 36.
    ties_to_even
        1 if an exact odd quotient becomes the even number below.
    inputDataType
        Integer type of 1 to 25 bits.
    outputDataType
        Integer type that holds all codes.
    multiplier_bits, offset_bits
        Widths of the parameters, unsigned and signed.
    resType
        What multiplies: "lut" or "dsp" (if the values have at most 18 bits with a sign).
    ram_style
        Memory of the parameters; a single word of them is a constant.
    runtime_writeable_weights, parameter_base
        1 if the parameters can be written while it works, and the first of its rows on the accelerator's bus; see
        `parameter_port.sv`.
    normalisation
        Which batch-norm the parameters come from; "" if none.
    """

    core = "requantisation"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_pipeline.sv",
        *_LANES_SOURCES,
        "requantisation/rtl/requantisation.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "ActVal": ("i", False, 0),
            "numSteps": ("i", True, 0),
            "shift": ("i", True, 0),
            "ties_to_even": ("i", False, 0, {0, 1}),
            "inputDataType": ("s", True, ""),
            "outputDataType": ("s", True, ""),
            "multiplier_bits": ("i", True, 0),
            "offset_bits": ("i", True, 0),
            "channel_wise": ("i", False, 1, {0, 1}),
            "resType": ("s", False, "dsp", {"lut", "dsp"}),
            "ram_style": ("s", False, "auto", {"auto", "block", "distributed"}),
            "runtime_writeable_weights": ("i", False, 0, {0, 1}),
            "parameter_base": ("i", False, 0),
            "normalisation": ("s", False, ""),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        vectors = self.get_nodeattr("numInputVectors")
        check_length(name, "numInputVectors", vectors, max(len(vectors), 1))
        check_at_least(name, "numSteps", self.get_nodeattr("numSteps"), 1)
        check_one_of(name, "shift", self.get_nodeattr("shift"), range(MOST_SHIFT + 1))
        check_one_of(name, "multiplier_bits", self.get_nodeattr("multiplier_bits"), range(1, MULTIPLIER_BITS + 1))
        check_one_of(name, "offset_bits", self.get_nodeattr("offset_bits"), range(1, OFFSET_BITS + 1))
        check_integer(name, "inputDataType", self.attribute_datatype("inputDataType"), (1, 25))
        output = self.attribute_datatype("outputDataType")
        check_integer(name, "outputDataType", output, (1, 16))
        low, high = self.codes
        if low < output.min() or high > output.max():
            raise UserError(
                f"{name}: outputDataType must hold {low} to {high} (ActVal and numSteps), not {output.name}"
            )
        check_one_of(name, "number of inputs", len(self.onnx_node.input), (1 + len(self.input_streams()),))

    @property
    def codes(self) -> tuple[int, int]:
        """Least and greatest code."""
        low = int(self.get_nodeattr("ActVal"))
        return low, low + int(self.get_nodeattr("numSteps"))

    @property
    def sets(self) -> int:
        """How many sets of parameters there are."""
        return 1

    def _stream(self, attribute: str, port: str) -> Stream:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))
        return Stream(0, shape, self.attribute_datatype(attribute), self.get_nodeattr("PE"), port, attribute)

    def input_streams(self) -> list[Stream]:
        return [self._stream("inputDataType", "s_axis")]

    def output_streams(self) -> list[Stream]:
        return [self._stream("outputDataType", "m_axis")]

    def parameters(self) -> dict[int, tuple[tuple[int, ...], BaseDataType]]:
        return {1: ((self.get_nodeattr("NumChannels"), 2), PARAMETER_TYPE)}

    def legal_parameter_shapes(self, ind: int) -> list[tuple[int, ...]]:
        *sets, channels, pair = self.parameters()[ind][0]
        return [(*sets, channels, pair), (*sets, 1, pair)]

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return [self._requantise(inputs[0], inputs[1])]

    def _requantise(self, x: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        low, high = self.codes
        ties_to_even = bool(self.get_nodeattr("ties_to_even"))
        return requantise(x, rows[..., 0], rows[..., 1], self.get_nodeattr("shift"), low, high, ties_to_even)

    # Code generation

    @property
    def is_writable(self) -> bool:
        """Whether the parameters can be written while it works."""
        return bool(self.get_nodeattr("runtime_writeable_weights"))

    @property
    def core_name(self) -> str:
        return f"writable_{self.core}" if self.is_writable else self.core

    @property
    def core_sources(self) -> tuple[str, ...]:
        if not self.is_writable:
            return self.rtl_sources
        return writable.PLAIN_SOURCES if self.sets == 1 else writable.SOURCES

    def plain_ports(self) -> list[PlainPort]:
        return [writable.BUS_TO_NODES, writable.BUS_FROM_NODES] if self.is_writable else []

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        self._check_fit(constants[1])
        arithmetic = self._arithmetic()
        bits, style = self.word_bits, self.get_nodeattr("ram_style")
        folds = max(constants[1].shape[-2] // self.get_nodeattr("PE"), 1)
        if self.is_writable:
            return {
                **arithmetic,
                "MEMORY_FILE": f'"./{self._memory_prefix}"',
                "RAM_STYLE": f'"{resolve_ram_style(style, bits, self.depth)}"',
                "BASE": self.get_nodeattr("parameter_base"),
                "WORDS": self.input_streams()[0].words,
                "CF": folds,
            }
        words, file = self._words(constants[1]), f'"./{self.memory_file_name("parameters")}"'
        return {
            **arithmetic,
            "WORD": f"{bits}'h{words[0]}" if len(words) == 1 else f"{bits}'h0",
            "MEMORY_FILE": file if len(words) > 1 else '""',
            "ROM_STYLE": f'"{resolve_ram_style(style, bits, len(words))}"',
            "CF": folds,
        }

    def _arithmetic(self) -> dict[str, int | str]:
        datatype = self.attribute_datatype("inputDataType")
        low, high = self.codes
        return {
            "PE": self.get_nodeattr("PE"),
            "IN_BITS": datatype.bitwidth(),
            "IN_SIGNED": int(datatype.signed()),
            "MULTIPLIER_BITS": self.get_nodeattr("multiplier_bits"),
            "OFFSET_BITS": self.get_nodeattr("offset_bits"),
            "SUM_BITS": self.sum_bits,
            "SHIFT": self.get_nodeattr("shift"),
            "TIES_TO_EVEN": self.get_nodeattr("ties_to_even"),
            "LOWEST": low,
            "HIGHEST": high,
            "OUT_BITS": self.attribute_datatype("outputDataType").bitwidth(),
            "USE_DSP": {"lut": '"no"', "dsp": '"yes"'}[self.get_nodeattr("resType")],
            "MULTIPLY_CYCLES": {"lut": 2, "dsp": 1}[self.get_nodeattr("resType")],
        }

    def memory_files(self, constants: Constants) -> dict[str, list[str]]:
        """One word per set and channel fold, the folds padded to a power of two; a single word is a parameter."""
        bits = self.word_bits // int(self.get_nodeattr("PE"))
        if self.is_writable:
            return writable.memory_files(self, self._memory_prefix, self._lanes_of_words(constants[1]), bits)
        words = self._words(constants[1])
        return {self.memory_file_name("parameters"): words} if len(words) > 1 else {}

    @property
    def _memory_prefix(self) -> str:
        """What the names of the lanes' memory files begin with."""
        return self.memory_file_name("parameters").removesuffix(".dat")

    def _words(self, rows: NDArray[np.int64]) -> list[str]:
        """Words of PE lanes, each the multiplier and above it the offset."""
        bits = self.word_bits // int(self.get_nodeattr("PE"))
        return [hex_word(np.array(word, dtype=object), bits) for word in self._lanes_of_words(rows)]

    def _lanes_of_words(self, rows: NDArray[np.int64]) -> list[list[int]]:
        lanes = self.get_nodeattr("PE")
        multiplier_bits, offset_bits = self.get_nodeattr("multiplier_bits"), self.get_nodeattr("offset_bits")
        sets = rows.reshape(self.sets, -1, 2)
        if sets.shape[1] == 1:
            sets = np.broadcast_to(sets, (self.sets, lanes, 2))
        packed = [
            [[(int(b) % (1 << offset_bits) << multiplier_bits) | int(a) for a, b in lane] for lane in words]
            for words in sets.reshape(self.sets, -1, lanes, 2)
        ]
        folds = len(packed[0])
        padding = [[0] * lanes] * (self._padded_folds(folds) - folds)
        return [word for words in packed for word in (*words, *padding)]

    def _padded_folds(self, folds: int) -> int:
        return folds

    @property
    def word_bits(self) -> int:
        """Bits of a word of parameters."""
        return int(self.get_nodeattr("PE") * (self.get_nodeattr("multiplier_bits") + self.get_nodeattr("offset_bits")))

    @property
    def depth(self) -> int:
        """Words of parameters in the memory."""
        return writable.BANKS << writable.address_bits(self) if self.is_writable else self.words_of_bank

    @property
    def words_of_bank(self) -> int:
        """Words of parameters that are in use."""
        channels = self.get_nodeattr("NumChannels") if self.get_nodeattr("channel_wise") else 1
        return self.sets * self._padded_folds(math.ceil(channels / self.get_nodeattr("PE")))

    @property
    def sum_bits(self) -> int:
        """Bits of a sum: enough for every value, multiplier and offset of their types."""
        datatype = self.attribute_datatype("inputDataType")
        product = datatype.bitwidth() + int(not datatype.signed()) + self.get_nodeattr("multiplier_bits")
        codes = self.get_nodeattr("shift") + self.attribute_datatype("outputDataType").bitwidth() + 1
        return max(max(product, self.get_nodeattr("offset_bits")) + 1, codes)

    def _check_fit(self, rows: NDArray[np.int64]) -> None:
        name = self.onnx_node.name
        multiplier, offset = rows[..., 0], rows[..., 1]
        bits, offset_bits = self.get_nodeattr("multiplier_bits"), self.get_nodeattr("offset_bits")
        if multiplier.min() < 0 or multiplier.max() >= 1 << bits:
            raise FlowError(f"{name}: multipliers must be 0 to {(1 << bits) - 1}, not up to {multiplier.max()}")
        if offset.min() < -(1 << (offset_bits - 1)) or offset.max() >= 1 << (offset_bits - 1):
            raise FlowError(f"{name}: offsets must have {offset_bits} bits, not be {offset.min()} to {offset.max()}")

    def fits_dsp(self) -> bool:
        """Return whether one DSP48E2 can multiply and add."""
        datatype = self.attribute_datatype("inputDataType")
        return datatype.bitwidth() + int(not datatype.signed()) <= 18 and self.sum_bits <= OFFSET_BITS

    # Estimates

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return the multiply-additions per frame, and the bits of their parameters."""
        stream = self.output_streams()[0]
        return {
            "op_multiply_add": stream.words * stream.pe,
            f"param_requantisation_{self.word_bits // stream.pe}b": math.prod(self.parameters()[1][0][:-1]),
        }

    def dsp_estimation(self, fpgapart: str) -> int:
        """Return one DSP per lane, if they are asked for."""
        return int(self.get_nodeattr("PE")) if self.get_nodeattr("resType") == "dsp" else 0

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 kbit block RAMs of the parameters."""
        return brams_18k(self)

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: parameters, products unless in DSPs, clipping, output FIFO."""
        return luts(self)


class IndexedRequantisation_rtl(Requantisation_rtl):
    """Requantisation whose set of parameters is chosen per frame.

    Inputs: x as of `Requantisation_rtl`; parameters [iterations, NumChannels or 1, 2]; index, one element, stream
    `in1_V` of one word per frame. Attribute iterations: number of sets, at least 2; the index stream has the
    narrowest unsigned type that holds iterations - 1.
    """

    core = "indexed_requantisation"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_queue.sv",
        "rtl_common/indexed_pipeline.sv",
        *_LANES_SOURCES,
        "requantisation/rtl/indexed_requantisation.sv",
    )

    def op_attributes(self) -> Attributes:
        return {**super().op_attributes(), "iterations": ("i", True, 0)}

    def validate(self) -> None:
        iterations = self.get_nodeattr("iterations")
        check_at_least(self.onnx_node.name, "iterations", iterations, 2, "one set of parameters needs no index")
        super().validate()

    @property
    def sets(self) -> int:
        return int(self.get_nodeattr("iterations"))

    def input_streams(self) -> list[Stream]:
        return [
            *super().input_streams(),
            Stream(2, (1,), DataType.get_smallest_possible(self.sets - 1), 1, "s_axis_index"),
        ]

    def parameters(self) -> dict[int, tuple[tuple[int, ...], BaseDataType]]:
        return {1: ((self.sets, self.get_nodeattr("NumChannels"), 2), PARAMETER_TYPE)}

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        x, rows, index = inputs
        number = int(index.reshape(-1)[0])
        if not 0 <= number < self.sets:
            raise FlowError(f"{self.onnx_node.name}: index must be between 0 and {self.sets - 1}, not {number}")
        return [self._requantise(x, rows[number])]

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        words = self.input_streams()[0].words
        return {**super().core_parameters(constants), "WORDS": words, "SETS": self.sets}

    def _padded_folds(self, folds: int) -> int:
        return 1 << (folds - 1).bit_length()
