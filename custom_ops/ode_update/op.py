"""FINN node of the Euler update."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from custom_ops.base import Attributes, Constants, HardwareOp, fifo_luts
from custom_ops.checks import check_divides, check_integer, check_length
from custom_ops.ode_update.reference import ode_update
from custom_ops.streams import Stream
from finn_flow.errors import UserError

MAX_SHIFT = 24


class ODEUpdate_rtl(HardwareOp):
    """The state after one solver step: aligned, added, rounded half to even, saturated (``reference.ode_update``).

    Inputs: state z and increment, both [*numInputVectors, NumChannels]. Output: the new state, of z's type.

    Cycles: one word per cycle; a word of each input is taken together.

    Attributes
    ----------
    NumChannels, PE: channels, and channels per word; PE divides NumChannels.
    numInputVectors: leading axes of the tensors, such as [1, H, W].
    stateDataType, incrementDataType: integer types of 2 to 16 and 2 to 24 bits.
    fraction_bits: k, the increment's scale is the state's divided by 2^k; -24 to 24.
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
            "fraction_bits": ("i", True, 0),
        }

    def validate(self) -> None:
        name = self.onnx_node.name
        check_divides(name, "PE", self.get_nodeattr("PE"), "NumChannels", self.get_nodeattr("NumChannels"))
        vectors = self.get_nodeattr("numInputVectors")
        check_length(name, "numInputVectors", vectors, max(len(vectors), 1))
        check_integer(name, "stateDataType", self.attribute_datatype("stateDataType"), (2, 16))
        check_integer(name, "incrementDataType", self.attribute_datatype("incrementDataType"), (2, 24))
        shift = self.get_nodeattr("fraction_bits")
        if abs(shift) > MAX_SHIFT:
            raise UserError(f"{name}: fraction_bits must be between -{MAX_SHIFT} and {MAX_SHIFT}, not {shift}")

    def _stream(self, tensor: int, attribute: str, port: str) -> Stream:
        shape = (*self.get_nodeattr("numInputVectors"), self.get_nodeattr("NumChannels"))
        return Stream(tensor, shape, self.attribute_datatype(attribute), self.get_nodeattr("PE"), port, attribute)

    def input_streams(self) -> list[Stream]:
        return [
            self._stream(0, "stateDataType", "s_axis_state"),
            self._stream(1, "incrementDataType", "s_axis_increment"),
        ]

    def output_streams(self) -> list[Stream]:
        return [self._stream(0, "stateDataType", "m_axis")]

    def compute(self, inputs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        state = self.attribute_datatype("stateDataType")
        low, high = int(state.min()), int(state.max())
        return [ode_update(inputs[0], inputs[1], self.get_nodeattr("fraction_bits"), low, high)]

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        state = self.attribute_datatype("stateDataType")
        increment = self.attribute_datatype("incrementDataType")
        return {
            "PE": self.get_nodeattr("PE"),
            "STATE_BITS": state.bitwidth(),
            "STATE_SIGNED": int(state.signed()),
            "INCREMENT_BITS": increment.bitwidth(),
            "INCREMENT_SIGNED": int(increment.signed()),
            "FRACTION_BITS": self.get_nodeattr("fraction_bits"),
        }

    def get_op_and_param_counts(self) -> dict[str, int]:
        """Return the additions per frame."""
        stream = self.output_streams()[0]
        return {f"op_add_{stream.datatype.bitwidth()}b": stream.words * stream.pe}

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs: an adder and a clamp (with the rounding) per lane, and the output FIFO."""
        state = self.attribute_datatype("stateDataType").bitwidth()
        increment = self.attribute_datatype("incrementDataType").bitwidth()
        shift = self.get_nodeattr("fraction_bits")
        total = max(state + max(shift, 0), increment + max(-shift, 0)) + 1
        return self.get_nodeattr("PE") * (total + state + 2) + fifo_luts(self.get_outstream_width(), 8) + 10
