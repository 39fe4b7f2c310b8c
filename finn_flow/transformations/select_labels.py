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
from finn_flow.transformations.comparable import COMPARABLE_BITS, comparable_integers
from finn_flow.transformations.integer_graph import DOMAIN, integer_type
from finn_flow.transformations.interface import OutputForm, read_input, read_outputs, write_forms

log = logging.getLogger(__name__)


class SelectLabels(Transformation):
    """Have the accelerator give the label of the largest value, for a lowered model with one vector as its output.

    Models with another end (one number, a feature map, several outputs) give values, but for outputs of which the model
    itself selects labels, by an ArgMax or TopK. Values with a scale or an offset of their own each become comparable
    integers on the chip. Among equal values the lowest position counts as the largest.

    Parameters
    ----------
    asked_only
        Select only what the model itself selects.

    Raises
    ------
    UserError
        The scales of the values are too far apart to compare them in `COMPARABLE_BITS`; more labels than values.
    """

    def __init__(self, asked_only: bool = False) -> None:
        super().__init__()
        self.asked_only = asked_only

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        outputs = read_outputs(model)
        for position, output in enumerate(outputs):
            if output.labels:
                continue
            wanted = output.asked or int(not self.asked_only and self._is_classifier(model))
            if wanted:
                outputs[position] = replace(_comparable(model, position, output), labels=wanted)
        write_forms(model, read_input(model), outputs)
        return model, False

    def _is_classifier(self, model: ModelWrapper) -> bool:
        shapes = [model.get_tensor_shape(value.name) for value in model.graph.output]
        if len(shapes) == 1 and len([n for n in shapes[0] if n > 1]) == 1 and shapes[0][1] > 1:
            return True
        what = f"{len(shapes)} outputs" if len(shapes) > 1 else f"an output of shape {list(shapes[0])}"
        log.info(f"no label is selected: the model has {what}; the accelerator gives the values")
        return False


def _comparable(model: ModelWrapper, position: int, output: OutputForm) -> OutputForm:
    """Add a node that makes an output's integers comparable, where they are not."""
    end = model.graph.output[position]
    classes = model.get_tensor_shape(end.name)[1]
    if output.asked > classes:
        raise UserError(f"output {output.name}: cannot select {output.asked} labels of {classes} values")
    if len(set(output.scale)) == len(set(output.offset)) == 1 and output.scale[0] > 0:
        return output
    datatype = model.get_tensor_datatype(end.name)
    reach = int(max(-datatype.min(), datatype.max()))
    found = comparable_integers(np.asarray(output.scale), np.asarray(output.offset), reach)
    if found is None:
        raise UserError(
            f"output {output.name}: no label can be selected, because its values have scales from "
            f"{min(output.scale, key=abs):g} to {max(output.scale, key=abs):g}, and comparing them takes more than "
            f"{COMPARABLE_BITS + 1} bits; quantise the last layer's weights per tensor, or take step_select_labels out "
            "of the configuration"
        )
    factors, shifts = np.broadcast_arrays(*found, np.zeros(classes, dtype=np.int64))[:2]
    plain, constant = f"{end.name}_plain", f"{end.name}_comparison"
    for node in model.graph.node:
        node.output[:] = [plain if name == end.name else name for name in node.output]
        node.input[:] = [plain if name == end.name else name for name in node.input]
    model.set_tensor_shape(plain, model.get_tensor_shape(end.name))
    model.set_tensor_datatype(plain, datatype)
    model.set_initializer(constant, np.stack([factors, shifts], axis=1).astype(np.float64))
    lowest, highest = (int(extreme(reach(factors), reach(shifts))) for extreme, reach in ((min, np.min), (max, np.max)))
    model.set_tensor_datatype(constant, DataType[integer_type(lowest, highest, signed=True)])
    ends = np.array([[int(datatype.min())], [int(datatype.max())]]) * factors + shifts
    model.set_tensor_datatype(end.name, DataType[integer_type(int(ends.min()), int(ends.max()), signed=True)])
    model.graph.node.append(helper.make_node("ChannelAffine", [plain, constant], [end.name], domain=DOMAIN))
    return replace(output, factor=tuple(factors.tolist()), shift=tuple(shifts.tolist()))
