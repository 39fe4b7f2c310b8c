"""Writing ODE loops out again, step by step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation

from finn_flow.errors import FlowError
from finn_flow.transformations.graph_editing import replace_nodes
from finn_flow.transformations.ode_loop_builder import DOMAIN, unique_name


class UnrollODEBlocks(Transformation):
    """Replace each rolled ODELoop by its iterations: the inverse of RollODEBlocks.

    Iteration i gets the slice i of every parameter as an initialiser of its own. The first iteration keeps the names
    of the body's tensors and nodes where they are free. Executing the model gives the same bits before and after,
    and rolling the result gives the same loops again.

    Parameters
    ----------
    duplicate_weights
        Give each iteration its own copy of the weights and of the nodes that quantise them, as FINN's unrolled flow
        wants it; otherwise all iterations read the same tensors, as exporters write it.

    Raises
    ------
    FlowError if a loop's parameter is not a constant.
    """

    def __init__(self, duplicate_weights: bool = False) -> None:
        super().__init__()
        self.duplicate_weights = duplicate_weights

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        """Write out all loops of `model` in place; a second application finds nothing more."""
        if not any(node.domain == DOMAIN and node.op_type == "ODELoop" for node in model.graph.node):
            return model, False
        graph = model.graph
        taken = {value.name for values in (graph.value_info, graph.input, graph.output) for value in values}
        taken.update(tensor.name for tensor in graph.initializer)
        taken.update(name for node in graph.node for name in (node.name, *node.input, *node.output))
        nodes: list[NodeProto] = []
        for node in graph.node:
            is_loop = node.domain == DOMAIN and node.op_type == "ODELoop"
            nodes += _LoopWriter(model, node, taken, self.duplicate_weights).write() if is_loop else [node]
        replace_nodes(graph, nodes)
        for entry in [entry for entry in model.model.opset_import if entry.domain == DOMAIN]:
            model.model.opset_import.remove(entry)
        return model, True


class _LoopWriter:
    """Writes the iterations of one loop into the graph around it."""

    def __init__(self, model: ModelWrapper, loop: NodeProto, taken: set[str], duplicate_weights: bool) -> None:
        self.graph: GraphProto = model.graph
        self.loop = loop
        self.taken = taken
        self.duplicate_weights = duplicate_weights
        instance = getCustomOp(loop)
        self.iterations: int = instance.get_nodeattr("iterations")
        self.body: GraphProto = instance.get_nodeattr("body").graph
        self.parameters = []
        for name in loop.input[1:]:
            value = model.get_initializer(name)
            if value is None:
                raise FlowError(f"{loop.name}: parameter '{name}' must be an initialiser")
            self.parameters.append((name, value))

    def write(self) -> list[NodeProto]:
        """Add the tensors of all iterations to the graph and return their nodes."""
        state_in, state_out = self.body.input[0].name, self.body.output[0].name
        constants = {tensor.name for tensor in self.body.initializer}
        for node in self.body.node:
            if constants.issuperset(name for name in node.input if name):
                constants.update(node.output)
        shared = {} if self.duplicate_weights else self._copy_tensors(sorted(constants), 0)
        shared_nodes = [n for n in self.body.node if n.output[0] in shared]
        nodes = [self._copy_node(node, shared, 0) for node in shared_nodes]
        state = self.loop.input[0]
        for i in range(self.iterations):
            names = {"": "", state_in: state, **shared}
            for (outer, value), inner in zip(self.parameters, self.body.input[1:], strict=True):
                names[inner.name] = self._new_name(outer, i + 1)
                self._add_parameter(names[inner.name], np.asarray(value[i]))
            if i == self.iterations - 1:
                names[state_out] = self.loop.output[0]
            own = dict.fromkeys(tensor.name for tensor in self.body.initializer)
            own.update(dict.fromkeys(name for node in self.body.node for name in node.output))
            names.update(self._copy_tensors([name for name in own if name not in names], i))
            nodes += [self._copy_node(node, names, i) for node in self.body.node if node.output[0] not in shared]
            state = names[state_out]
        return nodes

    def _new_name(self, name: str, iteration: int) -> str:
        """Return a free name for `name` in an iteration, `name` itself for iteration 0 if it is free."""
        name = unique_name(f"{name}_{iteration}" if iteration else name, self.taken)
        self.taken.add(name)
        return name

    def _add_parameter(self, name: str, value: NDArray) -> None:
        tensor = numpy_helper.from_array(value, name)
        self.graph.initializer.append(tensor)
        self.graph.value_info.append(helper.make_tensor_value_info(name, tensor.data_type, tensor.dims))

    def _copy_tensors(self, tensors: list[str], iteration: int) -> dict[str, str]:
        """Add initialisers, shapes and annotations of the body's `tensors` to the graph; return their new names."""
        names = {name: self._new_name(name, iteration) for name in tensors}
        for field, key in (("initializer", "name"), ("value_info", "name"), ("quantization_annotation", "tensor_name")):
            entries = [*getattr(self.body, field), *(self.body.output if field == "value_info" else ())]
            for entry in entries:
                if getattr(entry, key) in names:
                    copy = getattr(self.graph, field).add()
                    copy.CopyFrom(entry)
                    setattr(copy, key, names[getattr(entry, key)])
        return names

    def _copy_node(self, node: NodeProto, names: dict[str, str], iteration: int) -> NodeProto:
        copy = NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [names[name] for name in node.input]
        copy.output[:] = [names[name] for name in node.output]
        if node.name:
            copy.name = self._new_name(node.name, iteration)
        return copy
