"""Where FIFOs are kept."""

from __future__ import annotations

from typing import Any

from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.folding.memory import ChooseMemories
from finn_flow.steps.decorator import build_step


@build_step
def step_choose_memories(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Put each FIFO and loop feedback into LUTs, block RAM or ultra RAM, after their depths are known."""
    return model.transform(ChooseMemories(cfg.board, cfg._resolve_fpga_part()))
