"""FINN node of the Euler update."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.datatype import BaseDataType

from custom_ops.base import Attributes, Constants, HardwareOp, fifo_luts
from custom_ops.checks import check_divides, check_integer, check_length, check_one_of
from custom_ops.ode_update.reference import ode_update
from custom_ops.streams import Stream
from finn_flow.errors import UserError

MAX_SHIFT = 24


class ODEUpdate_rtl(HardwareOp):
    """The state after one solver step: aligned, added, rounded half to even, saturated (`reference.ode_update`).

    Inputs: state z and increment, both [*numInputVectors, NumChannels]. Output: the new state, of the same shape.

    Cycles: one word per cycle; a word of each input is taken together.

    Attributes
    ----------
    NumChannels, PE
        Channels, and channels per word; PE divides NumChannels.
    numInputVectors
        Leading axes of the tensors, such as [1, H, W].
    stateDataType, incrementDataType
        Integer types of 2 to 31 bits.
    outputDataType
        Integer type of 2 to 31 bits; the state's where it is not given.
    fraction_bits, state_fraction_bits
        `k` and `j`; the scales of increment and state are the new state's divided by 2^k and 2^j; -24 to 24.
    bounds
        Lowest and highest new state, the limits of its type where they are not given.
    """

    core = "ode_update"
    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/credit_fifo.sv",
        "ode_update/rtl/ode_update.sv",
    )

    def op_attributes(self) -> Attributes:
        return {
            "NumChannels": ("i", True, 0),
            "PE": ("i", True, 0),
            "numInputVectors": ("ints", False, [1]),
            "stateDataType": ("s", True, ""),
            "incrementDataType": ("s", True, ""),
            "outputDataType": ("s", False, ""),
            "fraction_bits": ("i", True, 0),
            "state_fraction_bits": ("i", False, 0),
            "bounds": ("ints", False, []),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        vectors = self.get_nodeattr("numInputVectors")
        check_length(name, "numInputVectors", vectors, max(len(vectors), 1))
        check_integer(name, "stateDataType", self.attribute_datatype("stateDataType"), (2, 31))
        check_integer(name, "incrementDataType", self.attribute_datatype("incrementDataType"), (2, 31))
        check_integer(name, "outputDataType", self._output_datatype(), (2, 31))
        for attribute in ("fraction_bits", "state_fraction_bits"):
            shift = self.get_nodeattr(attribute)
            if abs(shift) > MAX_SHIFT:
                raise UserError(f"{name}: {attribute} must be between -{MAX_SHIFT} and {MAX_SHIFT}, not {shift}")
        low, high = self._bounds()
        if not self._output_datatype().min() <= low < high <= self._output_datatype().max():
            raise UserError(
                f"{name}: bounds must be two ascending values of {self._output_datatype().name}, not {[low, high]}"
            )

    def _output_datatype(self) -> BaseDataType:
        given = self.get_nodeattr("outputDataType")
        return self.attribute_datatype("outputDataType" if given else "stateDataType")

    def _bounds(self) -> tuple[int, int]:
        given = self.get_nodeattr("bounds")
        check_one_of(self.onnx_node.name, "number of bounds", len(given), (0, 2))
        datatype = self._output_datatype()
        return (int(given[0]), int(given[1])) if len(given) else (int(datatype.min()), int(datatype.max()))

    def _stream(self, tensor: int, attribute: str, port: str) -> Stream:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))
        return Stream(tensor, shape, self.attribute_datatype(attribute), self.get_nodeattr("PE"), port, attribute)

    def input_streams(self) -> list[Stream]:
        return [
            self._stream(0, "stateDataType", "s_axis_state"),
            self._stream(1, "incrementDataType", "s_axis_increment"),
        ]

    def output_streams(self) -> list[Stream]:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))
        return [Stream(0, shape, self._output_datatype(), self.get_nodeattr("PE"), "m_axis")]

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        shifts = self.get_nodeattr("fraction_bits"), self.get_nodeattr("state_fraction_bits")
        return [ode_update(inputs[0], inputs[1], shifts[0], *self._bounds(), shifts[1])]

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        state = self.attribute_datatype("stateDataType")
        increment = self.attribute_datatype("incrementDataType")
        return {
            "PE": self.get_nodeattr("PE"),
            "STATE_BITS": state.bitwidth(),
            "STATE_SIGNED": int(state.signed()),
            "INCREMENT_BITS": increment.bitwidth(),
            "INCREMENT_SIGNED": int(increment.signed()),
            "OUTPUT_BITS": self._output_datatype().bitwidth(),
            "FRACTION_BITS": self.get_nodeattr("fraction_bits"),
            "STATE_FRACTION_BITS": self.get_nodeattr("state_fraction_bits"),
            "LOWEST": self._bounds()[0],
            "HIGHEST": self._bounds()[1],
        }

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return the additions per frame."""
        stream = self.output_streams()[0]
        return {f"op_add_{stream.datatype.bitwidth()}b": stream.words * stream.pe}

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: an adder and a clamp (with the rounding) per lane, and the output FIFO."""
        state = self.attribute_datatype("stateDataType").bitwidth()
        increment = self.attribute_datatype("incrementDataType").bitwidth()
        shifts = self.get_nodeattr("state_fraction_bits"), self.get_nodeattr("fraction_bits")
        fraction = max(*shifts, 0)
        total = max(state + fraction - shifts[0], increment + fraction - shifts[1]) + 1
        lane = total + self._output_datatype().bitwidth() + 2
        return self.get_nodeattr("PE") * lane + fifo_luts(self.get_outstream_width(), 8) + 10
