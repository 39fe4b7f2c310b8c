"""FINN node of sliding windows reduced channel by channel."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType

from custom_ops.base import Attributes, Constants, HardwareOp, fifo_luts
from custom_ops.checks import check_divides, check_integer, check_length, check_one_of
from custom_ops.memory import bram_18k, hex_word, luts_of_memory, luts_of_rom
from custom_ops.streams import Stream
from custom_ops.window_reduce.reference import Window, window_reduce
from finn_flow.errors import UserError

_KINDS = {"max": 0, "sum": 1, "dot": 2}


class WindowReduce_rtl(HardwareOp):
    """Maximum, sum or weighted sum of each sliding window, channel by channel (`reference.window_reduce`).

    For pooling, and for depthwise convolutions that `DepthwiseConv_rtl` does not cover. Padding is implicit.

    Inputs: x [1, H, W, C] stream; for "dot", weights [C, KH, KW] constant. Output: [1, OH, OW, C].

    Cycles: one tap per cycle, so max(OH*OW*KH*KW, H*W) * C/PE per frame; frames follow without gap.

    Attributes
    ----------
    NumChannels, PE
        Channels C, and channels per word; PE divides NumChannels.
    IFMDim
        [H, W].
    operation
        "max", "sum" or "dot".
    KernelDim, Stride, Dilation
        [rows, columns] each.
    Padding
        [top, left, bottom, right]; it never is the maximum and adds 0 to sums.
    inputDataType
        Integer of 2 to 16 bits.
    weightDataType
        Of "dot", signed integer of 2 to 8 bits.
    outputDataType
        Integer that holds every result; of "max", the input's.
    ram_style
        Memory of the line buffer.
    """

    core = "window_reduce"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/credit_fifo.sv",
        "window_reduce/rtl/window_reader.sv",
        "window_reduce/rtl/window_reduce.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "IFMDim": ("ints", True, []),
            "operation": ("s", True, "", set(_KINDS)),
            "KernelDim": ("ints", True, []),
            "Stride": ("ints", False, [1, 1]),
            "Dilation": ("ints", False, [1, 1]),
            "Padding": ("ints", False, [0, 0, 0, 0]),
            "inputDataType": ("s", True, ""),
            "weightDataType": ("s", False, ""),
            "outputDataType": ("s", True, ""),
            "ram_style": ("s", False, "auto", {"auto", "block", "distributed"}),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        for attribute in ("IFMDim", "KernelDim", "Stride", "Dilation"):
            check_length(name, attribute, self.get_nodeattr(attribute), 2)
        padding = list(self.get_nodeattr("Padding"))
        check_one_of(name, "length of Padding", len(padding), (4,))
        spans = [d * (k - 1) + 1 for d, k in zip(self.window.dilation, self.window.kernel, strict=True)]
        if min(padding) < 0 or any(padding[i] >= spans[i % 2] for i in range(4)):
            raise UserError(f"{name}: Padding must be smaller than the window {spans}, not {padding}")
        if min(self.window.output_size(self._size())) < 1:
            raise UserError(
                f"{name}: KernelDim and Dilation must fit the padded map, not {spans} on {list(self._size())}"
            )
        datatype = self.attribute_datatype("inputDataType")
        check_integer(name, "inputDataType", datatype, (2, 16))
        check_integer(name, "outputDataType", self.attribute_datatype("outputDataType"), (2, 31))
        check_one_of(name, "number of inputs", len(self.onnx_node.input), (2 if self._weighted else 1,))
        if self._weighted:
            check_integer(name, "weightDataType", self.attribute_datatype("weightDataType"), (2, 8), signed=True)
        elif self.get_nodeattr("operation") == "max":
            check_one_of(name, "outputDataType", self.attribute_datatype("outputDataType").name, (datatype.name,))

    @property
    def window(self) -> Window:
        """Where the windows lie."""
        kernel, stride, dilation = (tuple(self.get_nodeattr(name)) for name in ("KernelDim", "Stride", "Dilation"))
        return Window(kernel, stride, dilation, tuple(self.get_nodeattr("Padding")))

    @property
    def _weighted(self) -> bool:
        return bool(self.get_nodeattr("operation") == "dot")

    def _size(self) -> tuple[int, int]:
        height, width = self.get_nodeattr("IFMDim")
        return int(height), int(width)

    def _folds(self) -> int:
        return int(self.get_nodeattr("NumChannels")) // int(self.get_nodeattr("PE"))

    def input_streams(self) -> list[Stream]:
        shape = (1, *self._size(), self.get_nodeattr("NumChannels"))
        datatype = self.attribute_datatype("inputDataType")
        return [Stream(0, shape, datatype, self.get_nodeattr("PE"), "s_axis", "inputDataType")]

    def output_streams(self) -> list[Stream]:
        shape = (1, *self.window.output_size(self._size()), self.get_nodeattr("NumChannels"))
        return [Stream(0, shape, self.attribute_datatype("outputDataType"), self.get_nodeattr("PE"), "m_axis")]

    def parameters(self) -> dict[int, tuple[tuple[int, ...], BaseDataType]]:
        if not self._weighted:
            return {}
        return {1: ((self.get_nodeattr("NumChannels"), *self.window.kernel), self.attribute_datatype("weightDataType"))}

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        weights = inputs[1] if self._weighted else None
        return [window_reduce(inputs[0], self.window, self.get_nodeattr("operation"), weights)]

    def get_exp_cycles(self) -> int:
        taps = math.prod(self.window.kernel)
        return max(self.output_streams()[0].words * taps, self.input_streams()[0].words)

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        window = self.window
        rows, columns = window.output_size(self._size())
        datatype = self.attribute_datatype("inputDataType")
        weight_bits = self.attribute_datatype("weightDataType").bitwidth() if self._weighted else 2
        return {
            "H": self._size()[0],
            "W": self._size()[1],
            "CF": self._folds(),
            "PE": self.get_nodeattr("PE"),
            "OH": rows,
            "OW": columns,
            "KH": window.kernel[0],
            "KW": window.kernel[1],
            "SH": window.stride[0],
            "SW": window.stride[1],
            "DH": window.dilation[0],
            "DW": window.dilation[1],
            "TOP": window.padding[0],
            "LEFT": window.padding[1],
            "LINES": self._lines(),
            "KIND": _KINDS[self.get_nodeattr("operation")],
            "IN_BITS": datatype.bitwidth(),
            "IN_SIGNED": int(datatype.signed()),
            "WEIGHT_BITS": weight_bits,
            "OUT_BITS": self.attribute_datatype("outputDataType").bitwidth(),
            "WEIGHT_FILE": f'"./{self.memory_file_name("weights")}"' if self._weighted else '""',
            "RAM_STYLE": f'"{self.get_nodeattr("ram_style")}"',
        }

    def memory_files(self, constants: Constants) -> dict[str, list[str]]:
        """One word per fold and tap: the weights of its channels."""
        if not self._weighted:
            return {}
        bits = self.attribute_datatype("weightDataType").bitwidth()
        taps = math.prod(self.window.kernel)
        folded = constants[1].reshape(self._folds(), self.get_nodeattr("PE"), taps).transpose(0, 2, 1)
        return {self.memory_file_name("weights"): [hex_word(w, bits) for w in folded.reshape(-1, folded.shape[2])]}

    # Estimates

    def _lines(self) -> int:
        """Lines in the buffer: a row of windows' and those that arrive while it is read, so that the next never waits.

        One more covers the cycles from a line's release to its use; behind a map's last row of windows, those that the
        next map's first row needs arrive.
        """
        window, height = self.window, self._size()[0]
        span = window.dilation[0] * (window.kernel[0] - 1) + 1
        last_top = (window.output_size(self._size())[0] - 1) * window.stride[0] - window.padding[0]
        turn = height - max(last_top, 0) + min(height, span - window.padding[0])
        return max(span + window.stride[0], turn) + 1

    def _buffer(self) -> tuple[int, int]:
        """Width in bits and depth in words of the line buffer."""
        return self.get_instream_width(), self._lines() * self._size()[1] * self._folds()

    def _in_bram(self) -> bool:
        style = self.get_nodeattr("ram_style")
        width, depth = self._buffer()
        return style == "block" or (style == "auto" and depth > 64 and width * depth > 4096)

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return operations per frame, and weights."""
        bits = self.attribute_datatype("outputDataType").bitwidth()
        taps = math.prod(self.window.kernel)
        counts = {f"op_{self.get_nodeattr('operation')}_{bits}b": math.prod(self.get_normal_output_shape()) * taps}
        if self._weighted:
            weight_bits = self.attribute_datatype("weightDataType").bitwidth()
            counts[f"param_weight_{weight_bits}b"] = taps * self.get_nodeattr("NumChannels")
        return counts

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 kbit block RAMs of the line buffer."""
        return bram_18k(*self._buffer()) if self._in_bram() else 0

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: line buffer, weights, multipliers, accumulators, counters and output FIFO."""
        lanes = self.get_nodeattr("PE")
        in_bits = self.attribute_datatype("inputDataType").bitwidth()
        out_bits = self.attribute_datatype("outputDataType").bitwidth()
        weights = 0.0
        if self._weighted:
            weight_bits = self.attribute_datatype("weightDataType").bitwidth()
            taps = math.prod(self.window.kernel)
            weights = luts_of_rom(lanes * weight_bits, self._folds() * taps) + lanes * in_bits * weight_bits
        buffer = 0 if self._in_bram() else luts_of_memory(*self._buffer())
        return round(buffer + weights + 2 * lanes * out_bits + fifo_luts(self.get_outstream_width(), 8) + 120)
