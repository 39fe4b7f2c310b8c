"""What lets an accelerator adapt where it stands."""

from __future__ import annotations

from typing import Any

from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.steps.decorator import build_step
from finn_flow.transformations.make_writable import MakeWritable
from finn_flow.transformations.name_nodes import NameNodes


@build_step
def step_make_parameters_writable(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Make the parameters that come from batch-norm statistics writable; between conversion and folding."""
    return model.transform(MakeWritable()).transform(NameNodes())
