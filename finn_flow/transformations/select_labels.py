"""Classification on the chip: labels instead of values."""

from __future__ import annotations

import logging
from dataclasses import replace

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from finn_flow.errors import UserError
from finn_flow.transformations.interface import read_input, read_outputs, write_forms

log = logging.getLogger(__name__)


class SelectLabels(Transformation):
    """Have the accelerator give the label of the largest value, for a lowered model with one vector as its output.

    Models with another end (one number, a feature map, several outputs) stay as they are. Among equal values the lowest
    position counts as the largest.

    Raises
    ------
    UserError : the values have a scale per channel, so that their integers cannot be compared.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        outputs = read_outputs(model)
        shape = model.get_tensor_shape(model.graph.output[0].name)
        if any(output.labels for output in outputs):
            return model, False
        if len(outputs) != 1 or len([n for n in shape if n > 1]) != 1 or shape[1] < 2:
            what = f"{len(outputs)} outputs" if len(outputs) != 1 else f"an output of shape {list(shape)}"
            log.info(f"no label is selected: the model has {what}; the accelerator gives the values")
            return model, False
        (output,) = outputs
        if len(set(output.scale)) > 1 or len(set(output.offset)) > 1:
            raise UserError(
                f"output {output.name}: no label can be selected, because each value has a scale or offset of its own; "
                "quantise the last layer's weights per tensor, or take step_select_labels out of the configuration"
            )
        write_forms(model, read_input(model), [replace(output, labels=1)])
        return model, False
