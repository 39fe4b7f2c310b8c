"""Classification on the chip: labels instead of values."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
from onnx import helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from finn_flow.errors import UserError
from finn_flow.transformations.comparable import fixed_point_offsets
from finn_flow.transformations.integer_graph import DOMAIN, integer_type
from finn_flow.transformations.interface import OutputForm, read_input, read_outputs, write_forms

log = logging.getLogger(__name__)


def _add_offsets(model: ModelWrapper, output: OutputForm) -> OutputForm:
    """Add the values' offsets on the chip, in as many fraction bits as their comparison needs."""
    bits, offsets = fixed_point_offsets(np.asarray(output.offset) / output.scale[0])
    (end,) = model.graph.output
    plain, constant = f"{end.name}_without_offsets", f"{end.name}_offsets"
    for node in model.graph.node:
        node.output[:] = [plain if name == end.name else name for name in node.output]
        node.input[:] = [plain if name == end.name else name for name in node.input]
    datatype = model.get_tensor_datatype(end.name)
    model.set_tensor_shape(plain, model.get_tensor_shape(end.name))
    model.set_tensor_datatype(plain, datatype)
    factors = np.full_like(offsets, 1 << bits)
    model.set_initializer(constant, np.stack([factors, offsets], axis=1).astype(np.float32))
    model.set_tensor_datatype(
        constant, DataType[integer_type(int(offsets.min()), int(max(offsets.max(), 1 << bits)), True)]
    )
    low, high = (int(reach) << bits for reach in (datatype.min(), datatype.max()))
    wide = integer_type(low + int(offsets.min()), high + int(offsets.max()), signed=True)
    model.set_tensor_datatype(end.name, DataType[wide])
    model.graph.node.append(helper.make_node("ChannelAffine", [plain, constant], [end.name], domain=DOMAIN))
    scale = output.scale[0] / (1 << bits)
    rest = np.asarray(output.offset) - offsets * scale
    return replace(output, scale=(scale,), offset=tuple(rest.tolist()))


class SelectLabels(Transformation):
    """Have the accelerator give the label of the largest value, for a lowered model with one vector as its output.

    Models with another end (one number, a feature map) stay as they are. Among equal values the lowest
    position counts as the largest.

    Raises
    ------
    UserError
        The values have a scale per channel, so that their integers cannot be compared.
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
        if len(set(output.scale)) > 1 or output.scale[0] < 0:
            raise UserError(
                f"output {output.name}: no label can be selected, because the values have a scale each or a negative "
                "one; quantise the last layer's weights per tensor, or take step_select_labels out of the configuration"
            )
        if len(set(output.offset)) > 1:
            output = _add_offsets(model, output)
        write_forms(model, read_input(model), [replace(output, labels=1)])
        return model, False
