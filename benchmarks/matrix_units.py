"""The units that multiply with a matrix: `python -m benchmarks.matrix_units [--json]`.

Synthesises FINN's `MVAU_rtl` and the units that the folding may put in its place, with the same random 4-bit weights at
the same folding, and prints cycles per vector, LUTs and DSPs. Constant adders come at one vector per cycle only.
Figures of open synthesis, not of Vivado.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from finn_flow.finn_adapter.environment import ensure_finn

CLOCK_NS = 5.0
FOLDINGS = ((16, 16, 16, 16), (32, 32, 32, 8), (64, 64, 64, 4), (64, 64, 16, 16))
"""Inputs, outputs, elements and outputs at a time."""


@dataclass(frozen=True)
class Unit:
    """One unit at one folding, as open synthesis maps it."""

    unit: str
    inputs: int
    outputs: int
    simd: int
    pe: int
    cycles_per_vector: int
    lut: int
    dsp: int


def measure(inputs: int, outputs: int, simd: int, pe: int) -> list[Unit]:
    """Return the figures of every unit there is for a folding."""
    from finn.util.basic import part_map
    from onnx import TensorProto, helper
    from qonnx.core.datatype import DataType
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.custom_op.registry import getCustomOp
    from qonnx.util.basic import qonnx_make_model

    from custom_ops.hardware import DOMAIN
    from finn_flow.netlist.write import write_netlist
    from finn_flow.synthesis.engine import synthesise_all
    from finn_flow.synthesis.nodes import units
    from finn_flow.transformations.alternatives import alternatives, put_in_place
    from finn_flow.transformations.name_nodes import NameNodes

    weights = np.random.default_rng(0).integers(-7, 8, (inputs, outputs))
    sum_bits = int(np.abs(weights).sum(axis=0).max() * 15).bit_length() + 1
    attributes = {"MW": inputs, "MH": outputs, "SIMD": simd, "PE": pe, "noActivation": 1, "numInputVectors": [1]}
    types = {"inputDataType": "UINT4", "weightDataType": "INT4", "outputDataType": f"INT{sum_bits}"}
    node = helper.make_node(
        "MVAU_rtl",
        ["x", "weights"],
        ["y"],
        name="MVAU_rtl_0",
        domain=DOMAIN,
        backend="fpgadataflow",
        mem_mode="internal_decoupled",
        **attributes,
        **types,
    )
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, size))]
        for name, size in (("x", inputs), ("y", outputs))
    ]
    model = ModelWrapper(qonnx_make_model(helper.make_graph([node], "unit", *ends)))
    model.set_initializer("weights", weights.astype(np.float32))
    for name, datatype in (("x", "UINT4"), ("weights", "INT4"), ("y", f"INT{sum_bits}")):
        model.set_tensor_datatype(name, DataType[datatype])
    cycles = inputs * outputs // (simd * pe)
    found = []
    for other in alternatives(model, model.graph.node[0]):
        if other.node.op_type == "ConstantMatrix_rtl" and cycles > 1:
            continue
        trial = ModelWrapper(model.model, make_deepcopy=True)
        put_in_place(trial, trial.graph.node[0], other)
        with tempfile.TemporaryDirectory() as folder:
            netlist = write_netlist(trial.transform(NameNodes()), Path(folder), part_map["ZCU104"], CLOCK_NS)
            (unit,) = units(netlist)
            (resources,) = synthesise_all([unit.job])
        assert getCustomOp(trial.graph.node[0]).get_exp_cycles() == cycles
        found.append(Unit(unit.op_type, inputs, outputs, simd, pe, cycles, resources.lut_total, resources.dsp48e2))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()
    ensure_finn()
    found = [unit for folding in FOLDINGS for unit in measure(*folding)]
    if arguments.json:
        print(json.dumps({"units": [asdict(unit) for unit in found]}, indent=2))
        return
    table = Table(
        "matrix", "SIMD x PE", "unit", "cycles per vector", "LUT", "DSP", title="Open synthesis, 4-bit weights"
    )
    for unit in found:
        table.add_row(
            f"{unit.inputs} x {unit.outputs}",
            f"{unit.simd} x {unit.pe}",
            unit.unit,
            str(unit.cycles_per_vector),
            f"{unit.lut:,}",
            f"{unit.dsp:,}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
