"""The flow without loops: a build step that FINN's configurations name by its dotted path."""

from __future__ import annotations

import json
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper

from benchmarks.common.accelerators import CONFIG
from finn_flow.steps.decorator import build_step
from finn_flow.transformations.unroll_ode_blocks import UnrollODEBlocks

ROLL = "finn_flow.steps.frontend.step_roll_ode_blocks"


@build_step
def step_unroll_ode_blocks(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Write every loop out again, each iteration with its own weights and hardware."""
    return model.transform(UnrollODEBlocks(duplicate_weights=True))


def unrolled_steps() -> list[str]:
    """Return the steps of build_configs/zcu104.json with `step_unroll_ode_blocks` after the rolling."""
    steps: list[str] = json.loads(CONFIG.read_text())["steps"]
    position = steps.index(ROLL) + 1
    return [*steps[:position], f"{__name__}.{step_unroll_ode_blocks.__name__}", *steps[position:]]
