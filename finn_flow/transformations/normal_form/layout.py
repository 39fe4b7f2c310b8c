"""Channels first everywhere: Transposes between layouts disappear."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from onnx import NodeProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.transformation.infer_shapes import InferShapes

from finn_flow.transformations.graph_editing import replace_nodes
from finn_flow.transformations.interface import InputForm, OutputForm, read_input, read_outputs, write_forms

Axes = tuple[int, ...]

_ELEMENTWISE = frozenset(
    {"Quant", "IntQuant", "BipolarQuant", "Add", "Sub", "Mul", "Div", "Relu", "Cast", "Identity", "Clip", "Sigmoid"}
    | {"Tanh", "HardSigmoid", "LeakyRelu", "Softplus", "Abs", "Neg", "Sqrt", "Exp", "Max", "Min", "Pow", "PRelu"}
)
_REDUCTIONS = frozenset({"ReduceMean", "ReduceSum", "ReduceMax"})
_CHANNELS_LAST = (0, 2, 3, 1)


class RemoveTransposes(Transformation):
    """Let Transposes go forward through elementwise nodes and reductions until they cancel.

    The input is taken channels first if that leaves fewer of them; how it was given is kept in the model's `InputForm`,
    and likewise for outputs.
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        if not any(node.op_type == "Transpose" for node in model.graph.node):
            return model, False
        as_given = _Pass(model, ())
        ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in model.graph.input}
        turned = _Pass(model, [name for name, rank in ranks.items() if rank == 4])
        (turned if turned.left < as_given.left else as_given).write()
        return InferShapes().apply(model)[0], False


class _Pass:
    """One walk over the graph: every tensor is a stored one with its axes in some order."""

    def __init__(self, model: ModelWrapper, channels_last: Iterable[str]) -> None:
        self.model, self.graph = model, model.graph
        self.constants = {tensor.name: tensor for tensor in self.graph.initializer}
        self.forms: dict[str, tuple[str, Axes]] = {}
        self.nodes: list[NodeProto] = []
        self.new_constants: dict[str, np.ndarray] = {}
        self.turned_inputs = list(channels_last)
        for name in self.turned_inputs:
            self.forms[name] = (f"{name}_channels_first", _CHANNELS_LAST)
        for node in self.graph.node:
            self._visit(node)
        self.left = sum(node.op_type == "Transpose" for node in self.nodes)

    def _visit(self, node: NodeProto) -> None:
        if node.op_type == "Transpose" and node.input[0] not in self.constants:
            perm = next((list(a.ints) for a in node.attribute if a.name == "perm"), None)
            if perm is not None:
                source, axes = self.forms.get(node.input[0], (node.input[0], tuple(range(len(perm)))))
                self.forms[node.output[0]] = source, tuple(axes[axis] for axis in perm)
                return
        moved = [name for name in node.input if name in self.forms]
        orders = {self.forms[name][1] for name in moved}
        dynamic = [name for name in node.input if name and name not in self.constants]
        if orders and all(order == tuple(range(len(order))) for order in orders):
            self._emit(node, {name: self.forms[name][0] for name in moved})
        elif len(orders) == 1 and len(moved) == len(dynamic) and self._moves_through(node, *orders):
            return
        else:
            self._emit(node, {name: self._materialised(name) for name in moved})

    def _emit(self, node: NodeProto, renamed: dict[str, str]) -> NodeProto:
        copy = NodeProto()
        copy.CopyFrom(node)
        for position, name in enumerate(copy.input):
            copy.input[position] = renamed.get(name, name)
        self.nodes.append(copy)
        return copy

    def _moves_through(self, node: NodeProto, order: Axes) -> bool:
        """Compute a node on the stored tensors, if that is the same but for the order of axes."""
        inverse = tuple(int(i) for i in np.argsort(order))
        renamed = {name: self.forms[name][0] for name in node.input if name in self.forms}
        if node.op_type in _ELEMENTWISE:
            for name in node.input:
                if name in self.constants and len(self.constants[name].dims) > 0:
                    renamed[name] = self._turned_constant(name, inverse)
        elif node.op_type in _REDUCTIONS:
            axes = next((list(a.ints) for a in node.attribute if a.name == "axes"), None)
            by_input = len(node.input) > 1 and node.input[1] in self.constants
            if by_input:
                axes = numpy_helper.to_array(self.constants[node.input[1]]).tolist()
            keep = next((a.i for a in node.attribute if a.name == "keepdims"), 1)
            if axes is None:
                return False
            stored = sorted(order[axis] for axis in axes)
            if not keep:
                rest = [axis for position, axis in enumerate(order) if position not in {a % len(order) for a in axes}]
                order = tuple(sorted(rest).index(axis) for axis in rest)
            if by_input:
                renamed[node.input[1]] = f"{node.output[0]}_axes"
                self.new_constants[renamed[node.input[1]]] = np.array(stored, dtype=np.int64)
        else:
            return False
        copy = self._emit(node, renamed)
        if node.op_type in _REDUCTIONS and not by_input:
            for attribute in copy.attribute:
                if attribute.name == "axes":
                    attribute.ints[:] = stored
        if order == tuple(range(len(order))):
            return True
        copy.output[0] = f"{node.output[0]}_channels_first"
        self.forms[node.output[0]] = copy.output[0], order
        return True

    def _turned_constant(self, name: str, inverse: Axes) -> str:
        value = numpy_helper.to_array(self.constants[name])
        padded = value.reshape((1,) * (len(inverse) - value.ndim) + value.shape)
        turned = f"{name}_{''.join(map(str, inverse))}"
        self.new_constants[turned] = np.ascontiguousarray(np.transpose(padded, inverse))
        return turned

    def _materialised(self, name: str) -> str:
        source, order = self.forms[name]
        if order == tuple(range(len(order))):
            return source
        self.nodes.append(helper.make_node("Transpose", [source], [name], f"Transpose_{name}", perm=order))
        self.forms[name] = name, tuple(range(len(order)))
        return name

    def write(self) -> None:
        """Make the walked nodes the graph's, with inputs and outputs as they are stored."""
        graph = self.graph
        given, outputs = read_input(self.model), read_outputs(self.model)
        for value in graph.input:
            if value.name in self.turned_inputs:
                given = InputForm(value.name, _CHANNELS_LAST)
                value.name = self.forms[value.name][0]
                dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
                for dim, size in zip(value.type.tensor_type.shape.dim, (dims[i] for i in (0, 3, 1, 2)), strict=True):
                    dim.dim_value = size
        for position, value in enumerate(graph.output):
            if value.name in self.forms:
                source, order = self.forms[value.name]
                outputs[position] = OutputForm(outputs[position].name, outputs[position].tensor, order)
                value.name = source
                value.type.tensor_type.ClearField("shape")
        graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in self.new_constants.items())
        del graph.value_info[:]
        replace_nodes(graph, self.nodes)
        write_forms(self.model, given, outputs)
