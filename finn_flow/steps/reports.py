"""Reports of a build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.build_folder import BuildFolder
from finn_flow.estimates.network import estimate
from finn_flow.files import atomic_write_json
from finn_flow.steps.decorator import build_step


@build_step
def step_report_estimates(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Write `report/estimates.json`: cycles and resources per node, per loop and for the whole network."""
    report = estimate(model, cfg.synth_clk_period_ns, cfg.board, cfg._resolve_fpga_part())
    atomic_write_json(BuildFolder(Path(cfg.output_dir)).estimates, report)
    return model
