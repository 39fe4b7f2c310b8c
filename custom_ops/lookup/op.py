"""FINN node of the table of codes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType

from custom_ops.base import Attributes, Constants, HardwareOp, fifo_luts
from custom_ops.checks import check_at_least, check_divides, check_integer, check_length
from custom_ops.lookup.reference import lookup
from custom_ops.memory import bram_18k, hex_word, luts_of_rom
from custom_ops.streams import Stream
from finn_flow.errors import UserError


class Lookup_rtl(HardwareOp):
    """Each code replaced by its entry in a table (`reference.lookup`).

    Inputs: x [*numInputVectors, NumChannels] stream; table [NumChannels or 1, n] constant. Output: of x's shape.

    Cycles: one word per cycle.

    Attributes
    ----------
    NumChannels, PE
        Channels, and channels per word; PE divides NumChannels.
    numInputVectors
        Leading axes of the tensor, such as [1, H, W].
    entries
        Length n of a table.
    lowest
        Code of the table's first entry; codes beyond the table must not occur.
    channel_wise
        0 if all channels share their table; the estimates heed it.
    inputDataType
        Integer of 2 to 16 bits that holds `lowest` and `lowest + n - 1`.
    outputDataType
        Integer of 2 to 31 bits.
    ram_style
        Memory of the tables.
    """

    core = "lookup"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/credit_fifo.sv",
        "lookup/rtl/lookup.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "entries": ("i", True, 0),
            "lowest": ("i", False, 0),
            "channel_wise": ("i", False, 1, {0, 1}),
            "inputDataType": ("s", True, ""),
            "outputDataType": ("s", True, ""),
            "ram_style": ("s", False, "auto", {"auto", "block", "distributed"}),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        vectors = self.get_nodeattr("numInputVectors")
        check_length(name, "numInputVectors", vectors, max(len(vectors), 1))
        check_at_least(name, "entries", self.get_nodeattr("entries"), 1)
        datatype = self.attribute_datatype("inputDataType")
        check_integer(name, "inputDataType", datatype, (2, 16))
        check_integer(name, "outputDataType", self.attribute_datatype("outputDataType"), (2, 31))
        low = self.get_nodeattr("lowest")
        high = low + self.get_nodeattr("entries") - 1
        if low < datatype.min() or high > datatype.max():
            raise UserError(f"{name}: inputDataType must hold {low} to {high} (lowest, entries), not {datatype.name}")

    def _stream(self, attribute: str, port: str) -> Stream:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))
        return Stream(0, shape, self.attribute_datatype(attribute), self.get_nodeattr("PE"), port, attribute)

    def input_streams(self) -> list[Stream]:
        return [self._stream("inputDataType", "s_axis")]

    def output_streams(self) -> list[Stream]:
        return [self._stream("outputDataType", "m_axis")]

    def parameters(self) -> dict[int, tuple[tuple[int, ...], BaseDataType]]:
        shape = (self.get_nodeattr("NumChannels"), self.get_nodeattr("entries"))
        return {1: (shape, self.attribute_datatype("outputDataType"))}

    def legal_parameter_shapes(self, ind: int) -> list[tuple[int, ...]]:
        shape = self.parameters()[ind][0]
        return [shape, (1, shape[1])]

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return [lookup(inputs[0], inputs[1], self.get_nodeattr("lowest"))]

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        lanes = self.get_nodeattr("PE")
        return {
            "CF": max(len(constants[1]) // lanes, 1),
            "PE": lanes,
            "IN_BITS": self.attribute_datatype("inputDataType").bitwidth(),
            "OUT_BITS": self.attribute_datatype("outputDataType").bitwidth(),
            "TABLE_FILES": f'"./{self.onnx_node.name}_table_"',
            "ROM_STYLE": f'"{self.get_nodeattr("ram_style")}"',
        }

    def memory_files(self, constants: Constants) -> dict[str, list[str]]:
        """One file per lane: the tables of its channels one after another, each by the bits of the code."""
        lanes = self.get_nodeattr("PE")
        bits = self.attribute_datatype("outputDataType").bitwidth()
        datatype = self.attribute_datatype("inputDataType")
        low, count = self.get_nodeattr("lowest"), self.get_nodeattr("entries")
        size = 1 << datatype.bitwidth()
        table = constants[1]
        table = np.broadcast_to(table, (max(len(table), lanes), count)) if len(table) == 1 else table
        folds = len(table) // lanes
        full = np.zeros((1 << (folds - 1).bit_length(), lanes, size), dtype=np.int64)
        full[:folds, :, np.arange(low, low + count) % size] = table.reshape(folds, lanes, count)
        return {
            self.memory_file_name(f"table_{lane}"): [hex_word(entry, bits) for entry in full[:, lane].reshape(-1, 1)]
            for lane in range(lanes)
        }

    def _memory(self) -> tuple[int, int]:
        """Bits and words of one lane's tables."""
        folds = self.get_nodeattr("NumChannels") // self.get_nodeattr("PE") if self.get_nodeattr("channel_wise") else 1
        words = (1 << (folds - 1).bit_length()) << self.attribute_datatype("inputDataType").bitwidth()
        return self.attribute_datatype("outputDataType").bitwidth(), words

    def _in_bram(self) -> bool:
        style = self.get_nodeattr("ram_style")
        bits, words = self._memory()
        return style == "block" or (style == "auto" and words >= 512 and bits * words > 8192)

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return the entries of all tables."""
        bits, words = self._memory()
        return {f"param_table_{bits}b": words * self.get_nodeattr("PE")}

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 kbit block RAMs of the tables."""
        return self.get_nodeattr("PE") * bram_18k(*self._memory()) if self._in_bram() else 0

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: a table per lane, and the output FIFO."""
        tables = 0 if self._in_bram() else self.get_nodeattr("PE") * luts_of_rom(*self._memory())
        return round(tables) + fifo_luts(self.get_outstream_width(), 6) + 10
