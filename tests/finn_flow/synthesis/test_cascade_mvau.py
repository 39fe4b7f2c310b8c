"""Cascades of DSPs in open synthesis: the estimates hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from finn.transformation.fpgadataflow.prepare_ip import PrepareIP
from qonnx.custom_op.registry import getCustomOp

from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.synthesis.engine import synthesise_all
from finn_flow.synthesis.job import SynthesisJob, stage
from tests.custom_ops.base_test import PART, make_model
from tests.custom_ops.test_cascade_mvau import cascade_case

CASES = {
    "repeated vectors": cascade_case(32, 32, 32, 8),
    "folded both ways": cascade_case(64, 64, 16, 16),
    "first layer": cascade_case(27, 16, 27, 4, "UINT8"),
    "last layer, one product per DSP": cascade_case(64, 10, 8, 1, "UINT8"),
}


@pytest.mark.parametrize("name", CASES)
def test_estimates_are_within_fifteen_percent(name: str) -> None:
    ensure_finn()
    model = make_model("CascadeMVAU_rtl", CASES[name], 2).transform(PrepareIP(PART, 5.0))
    op = getCustomOp(model.graph.node[0])
    sources = [Path(file) for file in op.get_rtl_file_list(abspath=True)]
    (found,) = synthesise_all([stage(SynthesisJob(op.get_verilog_top_module_name(), sources))])
    assert found.dsp48e2 == op.dsp_estimation(PART)
    assert found.bram36 == 0
    assert op.lut_estimation(PART) == pytest.approx(found.lut_total, rel=0.15)
