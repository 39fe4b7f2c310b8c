"""FINN node of a matrix of constants without multipliers."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.base import Constants, fifo_luts
from custom_ops.checks import check_integer
from custom_ops.constant_matrix.adder_graph import AdderGraph, adder_graph
from custom_ops.constant_matrix.emit import last_stages, latency, module_source, stage_of, width
from custom_ops.matrix_product import MatrixProduct

_CONTROL = 10
_DELAY_STAGES = 3
"""A delay of at least so many registers becomes a shift-register LUT per bit."""


class ConstantMatrix_rtl(MatrixProduct):
    """All sums of a vector with a matrix of constants in each cycle by adders alone.

    Inputs: x [*numInputVectors, MW] stream of whole vectors; weights [MW, MH] constant. Output: [*numInputVectors, MH]
    in whole vectors. It computes what an `MVAU_rtl` without activation does at PE = MH and SIMD = MW; its core is
    generated from the weights.

    Cycles: one vector per cycle.

    Attributes
    ----------
    MW, MH
        Inputs and outputs.
    numInputVectors
        Leading axes of the tensor, such as [1, H, W].
    inputDataType, weightDataType
        Integers of 1 to 12 bits.
    outputDataType
        Integer of at most 32 bits that holds every sum; otherwise sums wrap, as an MVAU's.
    """

    rtl_sources: ClassVar[tuple[str, ...]] = (
        "rtl_common/stream_checker.sv",
        "rtl_common/credit_fifo.sv",
        "rtl_common/stream_pipeline.sv",
    )

    @property
    def core_name(self) -> str:
        """Name of the generated module."""
        return f"{self.onnx_node.name}_adders"

    def validate(self) -> None:
        super().validate()
        name = self.onnx_node.name
        check_integer(name, "inputDataType", self.attribute_datatype("inputDataType"), (1, 12))
        check_integer(name, "weightDataType", self.attribute_datatype("weightDataType"), (1, 12))
        check_integer(name, "outputDataType", self.attribute_datatype("outputDataType"), (1, 32))

    # Code generation

    def graph(self, weights: NDArray) -> AdderGraph:
        """Return the adders of `weights` [MW, MH]."""
        datatype = self.attribute_datatype("inputDataType")
        integers = weights.astype(np.int64)
        return _solved(integers.tobytes(), integers.shape, int(datatype.min()), int(datatype.max()))

    def core_parameters(self, constants: Constants) -> dict[str, int | str]:
        return {}

    def generate_hdl(self, model: ModelWrapper, fpgapart: str, clk: float) -> None:
        """Write the core as well as its wrapper."""
        super().generate_hdl(model, fpgapart, clk)
        stream = self.input_streams()[0]
        out_bits = self.output_streams()[0].datatype.bitwidth()
        source = module_source(
            self.core_name, self.graph(self.constants(model)[1]), stream.datatype.bitwidth(), out_bits
        )
        self._core_file().write_text(source)

    def _core_file(self) -> Path:
        return Path(self.get_nodeattr("code_gen_dir_ipgen")) / f"{self.core_name}.sv"

    def get_rtl_file_list(self, abspath: bool = False) -> list[str]:
        """Return the RTL files, the core and the wrapper last: absolute paths, or bare names."""
        *shared, wrapper = super().get_rtl_file_list(abspath)
        return [*shared, str(self._core_file()) if abspath else self._core_file().name, wrapper]

    # Estimates

    def luts(self, weights: NDArray) -> int:
        """Return the LUTs for `weights`: one per bit of an adder that both terms have, long delays, and the FIFO."""
        graph = self.graph(weights)
        stages = [stage_of(level) for level in graph.levels()]
        luts = 0
        for adder in graph.adders:
            bits, _ = width(adder.lowest, adder.highest)
            # Below the shift of the other term the bits pass by, unless they are subtracted.
            passing = adder.right.shift if not adder.left.negative else 0
            passing = max(passing, adder.left.shift if not adder.right.negative else 0)
            luts += max(1, bits - passing)
        for value, end in last_stages(graph).items():
            if end + 1 - stages[value] >= _DELAY_STAGES:
                luts += width(*graph.range_of(value))[0]
        return luts + fifo_luts(self.get_outstream_width(), latency(graph) + 5) + _CONTROL

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs as if half of all weights' bits were an adder's; `luts` knows better."""
        shape, datatype = self.parameters()[1]
        return round(math.prod(shape) * datatype.bitwidth() * self.attribute_datatype("inputDataType").bitwidth() / 2)


@lru_cache(maxsize=64)
def _solved(weights: bytes, shape: tuple[int, int], lowest: int, highest: int) -> AdderGraph:
    return adder_graph(np.frombuffer(weights, dtype=np.int64).reshape(shape), [(lowest, highest)] * shape[0])
