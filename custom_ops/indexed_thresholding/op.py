"""FINN node of thresholding with a threshold set per solver iteration."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType, DataType

from custom_ops.base import Attributes, Constants, HardwareOp, fifo_luts
from custom_ops.checks import check_at_least, check_divides, check_integer, check_length, check_one_of
from custom_ops.indexed_thresholding.reference import clip_thresholds, indexed_thresholding, position_thresholding
from custom_ops.memory import bram_18k, hex_word, luts_of_rom
from custom_ops.streams import Stream
from finn_flow.errors import FlowError, UserError


class IndexedThresholding_rtl(HardwareOp):
    """Thresholding whose set of thresholds is chosen per frame (`reference.indexed_thresholding`).

    Inputs: x [*numInputVectors, NumChannels] stream `in0_V`; thresholds [sets, NumChannels or 1, numSteps] constant,
    sets = iterations · kinds, ascending on the last axis; index, one element, stream `in1_V` of one word per frame.
    Output: q, of x's shape.

    Cycles: one word per cycle, also across frames if the next index is waiting.

    Attributes
    ----------
    NumChannels, PE
        Channels, and channels per word; PE divides NumChannels.
    numInputVectors
        Leading axes of the tensor, such as [1, H, W].
    numSteps
        Thresholds per channel n.
    ActVal
        Output below the first threshold.
    inputDataType, weightDataType
        Integers; thresholds beyond the inputs' range are clipped in the hardware, where that changes no result.
    outputDataType
        Integer that holds ActVal to ActVal + n.
    iterations
        Number of sets, at least 2; the index stream has the narrowest unsigned type that holds iterations - 1.
    positions
        The kind of each pixel, row by row, where thresholds differ between kinds of pixels; else empty.
    channel_wise
        0 if all channels share their thresholds; the estimates heed it.
    depth_trigger_bram
        Threshold memories of at least so many words are block RAM and smaller ones LUTs; 0 leaves all to synthesis.
    """

    core = "indexed_thresholding"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/stream_queue.sv",
        "indexed_thresholding/rtl/indexed_thresholding.sv",
    )
    finn_rtl_sources: ClassVar[tuple[str, ...]] = ("thresholding/hdl/thresholding.sv",)

    def op_attributes(self) -> Attributes:
        return {
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "numSteps": ("i", True, 0),
            "ActVal": ("i", False, 0),
            "inputDataType": ("s", True, ""),
            "weightDataType": ("s", True, ""),
            "outputDataType": ("s", True, ""),
            "iterations": ("i", True, 0),
            "positions": ("ints", False, []),
            "channel_wise": ("i", False, 1, {0, 1}),
            "depth_trigger_bram": ("i", False, 0),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        vectors = self.get_nodeattr("numInputVectors")
        check_length(name, "numInputVectors", vectors, max(len(vectors), 1))
        check_at_least(name, "numSteps", self.get_nodeattr("numSteps"), 1)
        check_at_least(name, "depth_trigger_bram", self.get_nodeattr("depth_trigger_bram"), 0)
        self._check_iterations()
        positions = self._positions()
        pixels = math.prod(vectors)
        if positions.size and (positions.size != pixels or set(positions.tolist()) != set(range(self._kinds()))):
            raise UserError(f"{name}: positions must give one of the kinds 0, 1, ... for each of {pixels} pixels")
        check_integer(name, "inputDataType", self.attribute_datatype("inputDataType"), (1, 25))
        check_integer(name, "weightDataType", self.attribute_datatype("weightDataType"), (1, 26))
        output = self.attribute_datatype("outputDataType")
        check_integer(name, "outputDataType", output, (1, 16))
        low = self.get_nodeattr("ActVal")
        high = low + self.get_nodeattr("numSteps")
        if low < output.min() or high > output.max():
            raise UserError(
                f"{name}: outputDataType must hold {low} to {high} (ActVal and numSteps), not {output.name}"
            )
        check_one_of(name, "number of inputs", len(self.onnx_node.input), (1 + len(self.input_streams()),))

    def _check_iterations(self) -> None:
        name = self.onnx_node.name
        check_at_least(name, "iterations", self.get_nodeattr("iterations"), 2, "one set of thresholds needs no index")

    def _positions(self) -> NDArray[np.int64]:
        return np.asarray(self.get_nodeattr("positions"), dtype=np.int64)

    def _kinds(self) -> int:
        positions = self._positions()
        return int(positions.max()) + 1 if positions.size else 1

    def _sets(self) -> int:
        return int(self.get_nodeattr("iterations")) * self._kinds()

    def _stream(self, attribute: str, port: str) -> Stream:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))
        return Stream(0, shape, self.attribute_datatype(attribute), self.get_nodeattr("PE"), port, attribute)

    def _index_stream(self) -> Stream:
        datatype = DataType.get_smallest_possible(self.get_nodeattr("iterations") - 1)
        return Stream(2, (1,), datatype, 1, "s_axis_index")

    def input_streams(self) -> list[Stream]:
        return [self._stream("inputDataType", "s_axis"), self._index_stream()]

    def output_streams(self) -> list[Stream]:
        return [self._stream("outputDataType", "m_axis")]

    def parameters(self) -> dict[int, tuple[tuple[int, ...], BaseDataType]]:
        shape = (self._sets(), self.get_nodeattr("NumChannels"), self.get_nodeattr("numSteps"))
        return {1: (shape, self.attribute_datatype("weightDataType"))}

    def legal_parameter_shapes(self, ind: int) -> list[tuple[int, ...]]:
        shape = self.parameters()[ind][0]
        return [shape, (shape[0], 1, shape[2])]

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        x, thresholds, *index = inputs
        number = int(index[0].reshape(-1)[0]) if index else 0
        if not 0 <= number < self.get_nodeattr("iterations"):
            last = self.get_nodeattr("iterations") - 1
            raise FlowError(f"{self.onnx_node.name}: index must be between 0 and {last}, not {number}")
        self._check_sorted(thresholds)
        bias = self.get_nodeattr("ActVal")
        if self._kinds() == 1:
            return [indexed_thresholding(x, thresholds, number, bias)]
        kinds = thresholds[number * self._kinds() :][: self._kinds()]
        return [position_thresholding(x, kinds, self._positions(), bias)]

    def _check_sorted(self, thresholds: NDArray[np.int64]) -> None:
        if np.any(np.diff(thresholds, axis=-1) < 0):
            number, channel, _ = np.argwhere(np.diff(thresholds, axis=-1) < 0)[0]
            raise UserError(
                f"{self.onnx_node.name}: thresholds must be ascending, not {thresholds[number, channel].tolist()} "
                f"in set {number}, channel {channel}"
            )

    # Code generation

    def _threshold_bits(self, thresholds: NDArray[np.int64]) -> int:
        """Bits in which inputs and clipped thresholds are compared, with the sign of the inputs."""
        datatype = self.attribute_datatype("inputDataType")
        above = int(clip_thresholds(thresholds, datatype).max()) > datatype.max()
        return datatype.bitwidth() + int(above)

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        datatype = self.attribute_datatype("inputDataType")
        stream = self.input_streams()[0]
        return {
            "WORDS": stream.words,
            "CF": max(constants[1].shape[1] // stream.pe, 1),
            "PE": stream.pe,
            "SETS": self._sets(),
            "KINDS": self._kinds(),
            "PIXEL_WORDS": self.get_nodeattr("NumChannels") // stream.pe,
            "KIND_FILE": f'"./{self.memory_file_name("kinds")}"' if self._kinds() > 1 else '""',
            "STEPS": self.get_nodeattr("numSteps"),
            "BIAS": self.get_nodeattr("ActVal"),
            "IN_BITS": datatype.bitwidth(),
            "IN_SIGNED": int(datatype.signed()),
            "THRESHOLD_BITS": self._threshold_bits(constants[1]),
            "OUT_BITS": self.attribute_datatype("outputDataType").bitwidth(),
            "THRESHOLD_FILES": f'"./{self.onnx_node.name}_"',
            "DEPTH_TRIGGER_BRAM": self.get_nodeattr("depth_trigger_bram"),
        }

    def memory_files(self, constants: Constants) -> dict[str, list[str]]:
        """One file per lane and stage of FINN's binary search core.

        Stage s holds, per set and channel fold, the 2^s thresholds that it may compare with; folds and steps are
        padded to powers of two, as the core's addresses are bit fields.
        """
        self._check_sorted(constants[1])
        datatype = self.attribute_datatype("inputDataType")
        bits = self._threshold_bits(constants[1])
        lanes, sets = self.get_nodeattr("PE"), self._sets()
        stages = self.get_nodeattr("numSteps").bit_length()
        clipped = clip_thresholds(constants[1], datatype)
        channels = clipped.shape[1]
        by_lane = np.broadcast_to(clipped, (sets, max(channels, lanes), clipped.shape[2])) if channels == 1 else clipped
        by_lane = by_lane.reshape(sets, -1, lanes, clipped.shape[2])
        folds = by_lane.shape[1]
        padded = np.zeros((sets, 1 << (folds - 1).bit_length(), lanes, (1 << stages) - 1), dtype=np.int64)
        padded[:, :folds, :, : clipped.shape[2]] = by_lane
        files = {}
        if self._kinds() > 1:
            bits_of_kind = (self._kinds() - 1).bit_length()
            files[self.memory_file_name("kinds")] = [
                hex_word(k, bits_of_kind) for k in self._positions().reshape(-1, 1)
            ]
        for lane in range(lanes):
            for stage in range(stages):
                step = 1 << (stages - stage)
                values = padded[:, :, lane, step // 2 - 1 :: step].reshape(-1, 1)
                lines = [hex_word(value, bits) for value in values]
                files[self.memory_file_name(f"threshs_{lane}_{stage}")] = lines
        return files

    # Estimates

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return the number of thresholds."""
        shape, datatype = self.parameters()[1]
        return {f"param_threshold_{datatype.bitwidth()}b": math.prod(shape)}

    def memory_depths(self) -> list[int]:
        """Return the words of each stage's threshold memory in one lane."""
        channels = self.get_nodeattr("NumChannels") if self.get_nodeattr("channel_wise") else 1
        folds = math.ceil(channels / self.get_nodeattr("PE"))
        words = self._sets() << (folds - 1).bit_length()
        return [words << stage for stage in range(self.get_nodeattr("numSteps").bit_length())]

    def _memories(self) -> list[tuple[float, int]]:
        """LUTs and RAMB18 of each stage's memory in one lane."""
        bits = self.attribute_datatype("inputDataType").bitwidth()
        trigger = self.get_nodeattr("depth_trigger_bram")
        return [
            (0, bram_18k(bits, depth)) if trigger and depth >= trigger else (luts_of_rom(bits, depth), 0)
            for depth in self.memory_depths()
        ]

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 kbit block RAMs of the threshold memories that are asked to be block RAM."""
        return self.get_nodeattr("PE") * sum(blocks for _, blocks in self._memories())

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: per lane and stage a threshold memory and a comparator, and the core's output FIFO."""
        lanes, stages = self.get_nodeattr("PE"), self.get_nodeattr("numSteps").bit_length()
        bits = self.attribute_datatype("inputDataType").bitwidth()
        per_lane = sum(luts + bits / 2 + 3 for luts, _ in self._memories())
        return round(lanes * per_lane) + fifo_luts(lanes * stages, stages + 3) + 10


class PositionThresholding_rtl(IndexedThresholding_rtl):
    """Thresholding whose set of thresholds is chosen by the kind of each pixel (`reference.position_thresholding`).

    As `IndexedThresholding_rtl` with `iterations` 1 and several kinds in `positions`, without an index.
    """

    core = "position_thresholding"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        *IndexedThresholding_rtl.rtl_sources,
        "indexed_thresholding/rtl/position_thresholding.sv",
    )

    def _check_iterations(self) -> None:
        name = self.onnx_node.name
        check_one_of(name, "iterations", self.get_nodeattr("iterations"), (1,))
        check_at_least(name, "number of kinds in positions", self._kinds(), 2)

    def input_streams(self) -> list[Stream]:
        return [self._stream("inputDataType", "s_axis")]
