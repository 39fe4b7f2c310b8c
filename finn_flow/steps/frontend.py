"""From the exported QONNX graph to integers."""

from __future__ import annotations

from typing import Any

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.fold_constants import FoldConstants
from qonnx.transformation.infer_shapes import InferShapes

from finn_flow.steps.decorator import build_step
from finn_flow.transformations.bodies import change_bodies
from finn_flow.transformations.inline_constants import InlineConstants
from finn_flow.transformations.lower_to_integers import LowerToIntegers
from finn_flow.transformations.normal_form import ToNormalForm
from finn_flow.transformations.roll_ode_blocks import RollODEBlocks
from finn_flow.transformations.select_labels import SelectLabels


@build_step
def step_roll_ode_blocks(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Fold every ODE block into an ODELoop node; first of all steps, so that the others see each body once."""
    return model.transform(ToNormalForm()).transform(RollODEBlocks()).transform(InferShapes())


@build_step
def step_lower_to_integers(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Streamline: weights, activations and states become integers, the arithmetic between them thresholds."""
    model = model.transform(ToNormalForm())
    change_bodies(model, _tidy)
    return _tidy(model).transform(LowerToIntegers()).transform(SelectLabels(asked_only=True))


@build_step
def step_select_labels(model: ModelWrapper, cfg: Any) -> ModelWrapper:
    """Return the accelerator gives the label of the largest value; leave the step out to get the values themselves."""
    return model.transform(SelectLabels())


def _tidy(model: ModelWrapper) -> ModelWrapper:
    for transformation in (
        InlineConstants(),
        InferShapes(),
        FoldConstants(exclude_op_types=["Quant", "IntQuant", "BipolarQuant", "ODELoop"]),
        InferShapes(),
    ):
        model = model.transform(transformation)
    return model
