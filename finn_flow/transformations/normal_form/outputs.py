"""The other end of the graph: outputs are what the accelerator can give."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
from onnx import NodeProto, TensorProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from finn_flow.errors import UserError
from finn_flow.transformations.graph_editing import replace_nodes
from finn_flow.transformations.interface import OutputForm, read_input, read_outputs, write_forms

log = logging.getLogger(__name__)

_SAME_ORDER = frozenset({"Softmax", "LogSoftmax", "Sigmoid"})
_SELECTIONS = frozenset({"ArgMax", "TopK"})
_SAME_VALUES = frozenset({"Identity", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze"})


class EndInValues(Transformation):
    """Leave to the host what follows an output's last value: Softmax, Sigmoid, and reshapes that move no value.

    An ArgMax or a TopK is taken out as well, and how many labels it selects is kept in the model's `OutputForm`.

    Raises
    ------
    UserError
        Two outputs are the same values, or labels are selected in a way that the accelerator does not know.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        producers = {name: node for node in model.graph.node for name in node.output}
        outputs = read_outputs(model)
        for position, value in enumerate(model.graph.output):
            name = value.name
            asked, host = 0, outputs[position].host
            while (node := producers.get(name)) is not None:
                if node.op_type in _SELECTIONS and not asked:
                    asked = _selected(model, node, name)
                elif node.op_type in _SAME_ORDER:
                    _check_axis(model, node)
                    if not asked:
                        host = (node.op_type, *host)
                        log.warning(f"{node.name}: {node.op_type} is left to the host; the accelerator gives its input")
                elif node.op_type not in _SAME_VALUES or outputs[position].axes:
                    break
                name = node.input[0]
            if name != value.name:
                outputs[position] = replace(outputs[position], tensor=name, asked=asked, host=host)
                value.name = name
                value.type.tensor_type.elem_type = TensorProto.FLOAT
                value.type.tensor_type.ClearField("shape")
        _check_different(model, outputs)
        ends = {value.name for value in model.graph.output}
        inner = [value for value in model.graph.value_info if value.name not in ends]
        del model.graph.value_info[:]
        model.graph.value_info.extend(inner)
        replace_nodes(model.graph, list(model.graph.node))
        write_forms(model, read_input(model), outputs)
        return model, False


def _check_different(model: ModelWrapper, outputs: list[OutputForm]) -> None:
    names = [value.name for value in model.graph.output]
    for position, name in enumerate(names):
        first = names.index(name)
        if first < position:
            raise UserError(
                f"output {outputs[position].name}: gives the same values as output {outputs[first].name} but for what "
                "is left to the host; export the model with one of them"
            )


def _selected(model: ModelWrapper, node: NodeProto, output: str) -> int:
    """Return how many labels an ArgMax or TopK at the end selects."""
    options = {attribute.name: attribute.i for attribute in node.attribute}
    shape = model.get_tensor_shape(node.input[0]) or []
    axis = options.get("axis", 0 if node.op_type == "ArgMax" else -1)
    if len(shape) != 2 or axis % 2 != 1:
        raise UserError(
            f"{node.name}: labels can only be selected of one vector per image, not along axis {axis} of {list(shape)}"
            f"; leave {node.op_type} out to get the values"
        )
    if node.op_type == "ArgMax":
        if options.get("select_last_index", 0):
            raise UserError(f"{node.name}: the first of equal values is selected; leave select_last_index out")
        return 1
    if output == node.output[0]:
        raise UserError(f"output {output}: the values of {node.name} cannot be given; export its positions alone")
    if not options.get("largest", 1) or not options.get("sorted", 1):
        raise UserError(f"{node.name}: only the largest values, sorted, can be selected")
    count = model.get_initializer(node.input[1]) if len(node.input) > 1 else options.get("k")
    if count is None:
        raise UserError(f"{node.name}: how many labels it selects must be a constant")
    return int(np.ravel(count)[0])


def _check_axis(model: ModelWrapper, node: NodeProto) -> None:
    """Make sure that a softmax runs over the channels, whose order it keeps."""
    rank = len(model.get_tensor_shape(node.input[0]) or [])
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), -1)
    if node.op_type != "Sigmoid" and rank > 1 and axis % rank != 1:
        raise UserError(f"{node.name}: {node.op_type} must run over the channels (axis 1), not over axis {axis}")
