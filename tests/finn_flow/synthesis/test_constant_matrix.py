"""Matrices of constants in open synthesis: no DSP, and the quick estimates hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
from qonnx.custom_op.registry import getCustomOp

from finn_flow.estimates.nodes import estimate_node
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.synthesis.engine import synthesise_all
from finn_flow.synthesis.job import SynthesisJob, stage
from tests.custom_ops.base_test import PART, make_model
from tests.custom_ops.test_constant_matrix import matrix_case

CASES = {
    "square": matrix_case(16, 16, "UINT4"),
    "wide words": matrix_case(27, 4, "UINT8"),
    "signed, half of it zeros": matrix_case(12, 12, "INT6", "INT6", 0.5),
}


@pytest.mark.parametrize("name", CASES)
def test_estimates_are_within_fifteen_percent(name: str) -> None:
    ensure_finn()
    model = make_model("ConstantMatrix_rtl", CASES[name], 2).transform(PrepareIP(PART, 5.0))
    node = model.graph.node[0]
    op = getCustomOp(node)
    sources = [Path(file) for file in op.get_rtl_file_list(abspath=True)]
    (found,) = synthesise_all([stage(SynthesisJob(op.get_verilog_top_module_name(), sources))])
    estimate = estimate_node(model, node, PART)
    assert (found.dsp48e2, found.bram36) == (estimate["DSP"], estimate["BRAM36"]) == (0, 0)
    assert estimate["LUT"] == pytest.approx(found.lut_total, rel=0.15)
