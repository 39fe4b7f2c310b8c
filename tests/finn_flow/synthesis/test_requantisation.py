"""Requantisation in open synthesis: one DSP multiplies and adds, and the quick estimates hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
from qonnx.custom_op.registry import getCustomOp

from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.synthesis.engine import mapped_netlist, synthesise_all
from finn_flow.synthesis.job import SynthesisJob, stage
from tests.custom_ops.base_test import PART, make_model
from tests.custom_ops.test_requantisation import requantisation_case

INDEXED = requantisation_case(32, 4, "INT10", "INT4", (-8, 7), 13, 12, iterations=3)
CASES = {
    "indexed": ("IndexedRequantisation_rtl", INDEXED),
    "constants": ("Requantisation_rtl", requantisation_case(4, 4, "INT10", "UINT4", (0, 15), 13, 12, shared=True)),
    "LUTs": ("Requantisation_rtl", requantisation_case(16, 2, "INT8", "INT4", (-8, 7), 9, 8, resource="lut")),
}


@pytest.mark.parametrize("name", CASES)
def test_estimates_are_within_fifteen_percent(name: str) -> None:
    ensure_finn()
    op_type, case = CASES[name]
    model = make_model(op_type, case, 3 if op_type.startswith("Indexed") else 2).transform(PrepareIP(PART, 5.0))
    op = getCustomOp(model.graph.node[0])
    sources = [Path(file) for file in op.get_rtl_file_list(abspath=True)]
    folder = Path(op.get_nodeattr("code_gen_dir_ipgen"))
    job = stage(SynthesisJob(op.get_verilog_top_module_name(), sources, data_files=[folder]))
    (found,) = synthesise_all([job])
    assert found.dsp48e2 == op.dsp_estimation(PART) == (0 if name == "LUTs" else case.attributes["PE"])
    assert found.bram36 == 0
    assert op.lut_estimation(PART) == pytest.approx(found.lut_total, rel=0.15)
    if name == "indexed":
        _check_ports(mapped_netlist(job), op)


def _check_ports(netlist: dict[str, Any], op: Any) -> None:
    """Multiplier, value and offset reach the DSP with all their bits; the offset's upper ones may be constant."""
    cells = [cell["connections"] for cell in netlist["cells"].values() if cell["type"] == "DSP48E2"]
    assert cells
    for cell in cells:
        different = {port: len({bit for bit in cell[port] if isinstance(bit, int)}) for port in "ABC"}
        assert different["A"] == op.get_nodeattr("multiplier_bits")
        assert different["B"] == op.attribute_datatype("inputDataType").bitwidth()
        assert different["C"] >= op.get_nodeattr("offset_bits") - 2
