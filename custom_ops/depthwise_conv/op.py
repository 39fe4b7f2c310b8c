"""FINN node of the depthwise convolution."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType, DataType
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.base import Attributes, Constants, HardwareOp, fifo_luts
from custom_ops.checks import check_at_least, check_divides, check_integer, check_length, check_one_of
from custom_ops.depthwise_conv.reference import accumulator_bounds, depthwise_conv
from custom_ops.memory import bram_18k, hex_word, luts_of_memory
from custom_ops.streams import Stream
from finn_flow.errors import UserError


class DepthwiseConv_rtl(HardwareOp):
    """Depthwise K x K convolution with implicit zero padding of K//2 on all sides (`reference.depthwise_conv`).

    Inputs: x [1, H, W, C] stream, weights [C, K, K] constant. Output: sums [1, ceil(H/S), ceil(W/S), C].

    Cycles: a frame takes H*W*C/PE cycles for either stride; frames follow without gap, and the last one drains by
    itself.

    Attributes
    ----------
    NumChannels
        Channels C.
    PE
        Channels per word; divides C.
    IFMDim
        [H, W], each at least K//2 + 1.
    Kernel
        K, 3 or 5.
    Stride
        S, 1 or 2.
    inputDataType
        Integer of 2 to 12 bits (or BINARY).
    weightDataType
        Signed integer of 2 to 8 bits.
    outputDataType
        Integer that holds every possible sum (checked against the weights when RTL is generated).
    ram_style
        Memory of the line buffers.
    resType
        What multiplies: "lut", "dsp" or, by "auto", whatever synthesis prefers.
    """

    core = "depthwise_conv"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/credit_fifo.sv",
        "rtl_common/adder_tree.sv",
        "depthwise_conv/rtl/depthwise_conv_control.sv",
        "depthwise_conv/rtl/depthwise_conv_window.sv",
        "depthwise_conv/rtl/depthwise_conv.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "IFMDim": ("ints", True, []),
            "Kernel": ("i", True, 0),
            "Stride": ("i", False, 1),
            "inputDataType": ("s", True, ""),
            "weightDataType": ("s", True, ""),
            "outputDataType": ("s", True, ""),
            "ram_style": ("s", False, "auto", {"auto", "block", "distributed", "ultra"}),
            "resType": ("s", False, "auto", {"auto", "lut", "dsp"}),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        kernel = self.get_nodeattr("Kernel")
        check_one_of(name, "Kernel", kernel, (3, 5))
        check_one_of(name, "Stride", self.get_nodeattr("Stride"), (1, 2))
        check_at_least(name, "NumChannels", self.get_nodeattr("NumChannels"), 1)
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        check_length(name, "IFMDim", self.get_nodeattr("IFMDim"), 2)
        for value in self.get_nodeattr("IFMDim"):
            check_at_least(name, "each of IFMDim", value, kernel // 2 + 1, f"half a kernel of {kernel} and one pixel")
        check_integer(name, "inputDataType", self.attribute_datatype("inputDataType"), (1, 12))
        check_integer(name, "weightDataType", self.attribute_datatype("weightDataType"), (2, 8), signed=True)
        check_integer(name, "outputDataType", self.attribute_datatype("outputDataType"), (2, 25), signed=True)

    def input_streams(self) -> list[Stream]:
        shape = (1, *self.get_nodeattr("IFMDim"), self.get_nodeattr("NumChannels"))
        datatype = self.attribute_datatype("inputDataType")
        return [Stream(0, shape, datatype, self.get_nodeattr("PE"), "s_axis", "inputDataType")]

    def output_streams(self) -> list[Stream]:
        stride = self.get_nodeattr("Stride")
        size = [math.ceil(n / stride) for n in self.get_nodeattr("IFMDim")]
        shape = (1, *size, self.get_nodeattr("NumChannels"))
        return [Stream(0, shape, self.attribute_datatype("outputDataType"), self.get_nodeattr("PE"), "m_axis")]

    def parameters(self) -> dict[int, tuple[tuple[int, ...], BaseDataType]]:
        kernel = self.get_nodeattr("Kernel")
        shape = (self.get_nodeattr("NumChannels"), kernel, kernel)
        return {1: (shape, self.attribute_datatype("weightDataType"))}

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        return [depthwise_conv(inputs[0], inputs[1], self.get_nodeattr("Stride"))]

    def minimize_accumulator_width(self, model: ModelWrapper, datatype_only: bool = False) -> BaseDataType:
        """Set `outputDataType` to the narrowest signed type that holds every sum of the model's weights.

        `datatype_only` asks for the narrowest type over all weights of `weightDataType` instead.
        """
        if datatype_only:
            shape, datatype = self.parameters()[1]
            weights = np.full((1, *shape[1:]), int(datatype.min()))
        else:
            weights = self.constants(model)[1]
        low, high = accumulator_bounds(weights, self.attribute_datatype("inputDataType"))
        narrowest = DataType.get_smallest_possible(min(low, -high - 1, -2))
        self.set_nodeattr("outputDataType", narrowest.name)
        model.set_tensor_datatype(self.onnx_node.output[0], narrowest)
        return narrowest

    # Code generation

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        self._check_accumulator(constants[1])
        height, width = self.get_nodeattr("IFMDim")
        datatype = self.attribute_datatype("inputDataType")
        words = self._weight_words(constants[1])
        bits = self._weight_word_bits()
        style = {"auto": "auto", "lut": "no", "dsp": "yes"}[self.get_nodeattr("resType")]
        return {
            "K": self.get_nodeattr("Kernel"),
            "STRIDE": self.get_nodeattr("Stride"),
            "H": height,
            "W": width,
            "CF": len(words),
            "PE": self.get_nodeattr("PE"),
            "IN_BITS": datatype.bitwidth(),
            "IN_SIGNED": int(datatype.signed()),
            "WEIGHT_BITS": self.attribute_datatype("weightDataType").bitwidth(),
            "OUT_BITS": self.attribute_datatype("outputDataType").bitwidth(),
            "WEIGHTS": f"{bits}'h{words[0]}" if len(words) == 1 else f"{bits}'h0",
            "WEIGHT_FILE": f'"./{self.memory_file_name("weights")}"' if len(words) > 1 else '""',
            "RAM_STYLE": f'"{self.get_nodeattr("ram_style")}"',
            "USE_DSP": f'"{style}"',
        }

    def memory_files(self, constants: Constants) -> dict[str, list[str]]:
        """One word per channel fold; a single fold is a parameter instead, which synthesis turns into constants."""
        words = self._weight_words(constants[1])
        return {self.memory_file_name("weights"): words} if len(words) > 1 else {}

    def _weight_words(self, weights: NDArray[np.int64]) -> list[str]:
        """Words of PE x K x K weights, channel-major, then row, then column from the least significant bits."""
        bits = self.attribute_datatype("weightDataType").bitwidth()
        return [
            hex_word(fold.reshape(-1), bits)
            for fold in weights.reshape(-1, self.get_nodeattr("PE"), *weights.shape[1:])
        ]

    def _weight_word_bits(self) -> int:
        kernel = self.get_nodeattr("Kernel")
        return self.get_nodeattr("PE") * kernel * kernel * self.attribute_datatype("weightDataType").bitwidth()

    def _check_accumulator(self, weights: NDArray[np.int64]) -> None:
        low, high = accumulator_bounds(weights, self.attribute_datatype("inputDataType"))
        datatype = self.attribute_datatype("outputDataType")
        if low < datatype.min() or high > datatype.max():
            raise UserError(
                f"{self.onnx_node.name}: outputDataType must hold every sum from {low} to {high}, not {datatype.name}; "
                f"use {DataType.get_smallest_possible(min(low, -high - 1)).name}"
            )

    # Estimates

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return multiply-accumulates per frame, borders counted in full, and weights."""
        kernel = self.get_nodeattr("Kernel")
        weight_bits = self.attribute_datatype("weightDataType").bitwidth()
        input_bits = self.attribute_datatype("inputDataType").bitwidth()
        outputs = math.prod(self.get_normal_output_shape())
        return {
            f"op_mac_{input_bits}bx{weight_bits}b": outputs * kernel * kernel,
            f"param_weight_{weight_bits}b": self.get_nodeattr("NumChannels") * kernel * kernel,
        }

    def _line_buffer(self) -> tuple[int, int]:
        """Width in bits and depth in words of one line buffer."""
        stream = self.input_streams()[0]
        return stream.width_bits, self.get_nodeattr("IFMDim")[1] * stream.folded_shape[-2]

    def _line_buffers_in_bram(self) -> bool:
        width, depth = self._line_buffer()
        style = self.get_nodeattr("ram_style")
        return style == "block" or (style == "auto" and depth > 64 and width * depth > 4096)

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 kbit block RAMs of the line buffers."""
        lines = self.get_nodeattr("Kernel") - 1
        return lines * bram_18k(*self._line_buffer()) if self._line_buffers_in_bram() else 0

    def dsp_estimation(self, fpgapart: str) -> int:
        """Return one DSP per tap and lane where multipliers are asked to be DSPs."""
        return (
            self.get_nodeattr("PE") * self.get_nodeattr("Kernel") ** 2 if self.get_nodeattr("resType") == "dsp" else 0
        )

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: multipliers, adder tree, window, weights, line buffers and output FIFO."""
        kernel, lanes = self.get_nodeattr("Kernel"), self.get_nodeattr("PE")
        in_bits = self.attribute_datatype("inputDataType").bitwidth()
        weight_bits = self.attribute_datatype("weightDataType").bitwidth()
        out_bits = self.get_outstream_width()
        folds = self.get_nodeattr("NumChannels") // lanes
        taps = kernel * kernel
        multiplier = 0 if self.get_nodeattr("resType") == "dsp" else in_bits * weight_bits
        adders = (taps - 1) * (in_bits + weight_bits + 1) * lanes
        if folds == 1:  # constant weights: shifts and adds, some of them zero
            multiplier, adders = multiplier // 4, adders * 3 // 4
        window = lanes * in_bits * kernel * ((kernel - 1) * math.ceil(folds / 32) * (folds > 1) + 1)
        weights = luts_of_memory(self._weight_word_bits(), folds) if folds > 1 else 0
        lines = 0 if self._line_buffers_in_bram() else (kernel - 1) * luts_of_memory(*self._line_buffer())
        return lanes * taps * multiplier + adders + window + weights + lines + fifo_luts(out_bits, 32) + 80
