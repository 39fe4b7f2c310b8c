"""An index of an ONNX graph, built once in linear time, for the searches that qonnx's helpers would make quadratic."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_node

from finn_flow.errors import FlowError, UserError

CONSTANT_ATTRIBUTES = ("value", "value_float", "value_floats", "value_int", "value_ints")


class GraphIndex:
    """Live nodes, producers, consumers and constants of a topologically sorted graph.

    Nodes are numbered by their place in `graph.node`. *Live* nodes lead to a graph output. A *constant* is an
    initialiser or whatever is computed from initialisers alone; every other tensor is *dynamic*. `Identity` and
    casts to a tensor's own type are transparent: their readers count as readers of what they copy.

    Attributes
    ----------
    nodes
        The live nodes that compute something dynamic, by number, in topological order.
    inputs
        Their inputs with copies resolved, by node number.
    producer
        Dynamic tensor -> (node number, output position); graph inputs have none.
    consumers
        Dynamic tensor -> numbers of the live nodes that read it, ascending.
    tensors
        All live dynamic tensors in topological order.
    graph_inputs, graph_outputs
        Dynamic inputs in order; resolved outputs.
    level
        Dynamic tensor -> length of the longest path to it.
    shapes, element_types
        What the graph's value infos and initialisers say.

    Raises
    ------
    FlowError if the graph is not topologically sorted.
    """

    def __init__(self, model: ModelWrapper) -> None:
        graph: GraphProto = model.graph
        self._opsets: dict[str, int] = model.get_opset_imports()
        self.initialisers: dict[str, TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
        self.value_infos: dict[str, ValueInfoProto] = {
            value.name: value for values in (graph.value_info, graph.input, graph.output) for value in values
        }
        self.shapes = {name: _shape(value) for name, value in self.value_infos.items()}
        self.element_types = {name: value.type.tensor_type.elem_type for name, value in self.value_infos.items()}
        self.shapes.update((name, tuple(tensor.dims)) for name, tensor in self.initialisers.items())
        self.element_types.update((name, tensor.data_type) for name, tensor in self.initialisers.items())

        self.graph_inputs = [value.name for value in graph.input if value.name not in self.initialisers]
        self.nodes: dict[int, NodeProto] = {}
        self.inputs: dict[int, tuple[str, ...]] = {}
        self.producer: dict[str, tuple[int, int]] = {}
        self.constant_producer: dict[str, NodeProto] = {}
        self.level: dict[str, int] = dict.fromkeys(self.graph_inputs, 0)
        self._sources: dict[str, str] = {}
        self._keys: dict[str, int] = {}
        self._interned: dict[Hashable, int] = {}

        live = live_nodes(graph.node, (value.name for value in graph.output))
        for number in live:
            self._add_node(number, graph.node[number])
        self.graph_outputs = {self.resolve(value.name) for value in graph.output}
        self.consumers: dict[str, list[int]] = {}
        for number, inputs in self.inputs.items():
            for name in dict.fromkeys(inputs):
                if name in self.level:
                    self.consumers.setdefault(name, []).append(number)
        self.tensors = [name for name in self.level if name in self.consumers or name in self.graph_outputs]

    def _add_node(self, number: int, node: NodeProto) -> None:
        inputs = tuple(self.resolve(name) for name in node.input)
        unknown = [n for n in inputs if n and n not in self.level and not self.is_constant(n)]
        if unknown:
            raise FlowError(f"node '{node.name}' reads '{unknown[0]}' before it is computed: the graph is not sorted")
        if self._is_copy(node, inputs):
            self._sources[node.output[0]] = inputs[0]
        elif node.op_type == "Constant" or (node.input and not any(name in self.level for name in inputs)):
            self.constant_producer.update(dict.fromkeys(node.output, node))
        else:
            self.nodes[number] = node
            self.inputs[number] = inputs
            level = 1 + max((self.level.get(name, 0) for name in inputs), default=0)
            for position, name in enumerate(node.output):
                if name:
                    self.producer[name] = (number, position)
                    self.level[name] = level

    def _is_copy(self, node: NodeProto, inputs: tuple[str, ...]) -> bool:
        if node.op_type == "Cast":
            return next(a.i for a in node.attribute if a.name == "to") == self.element_types.get(inputs[0])
        return node.op_type == "Identity"

    def resolve(self, name: str) -> str:
        """Return the tensor that `name` is a mere copy of, or `name` itself."""
        return self._sources.get(name, name)

    def is_constant(self, name: str) -> bool:
        """Tell whether the resolved tensor `name` is computed from initialisers alone."""
        return name in self.initialisers or name in self.constant_producer

    def intern(self, key: Hashable) -> int:
        """Return one small number per distinct `key`, so that long keys compare in one step."""
        return self._interned.setdefault(key, len(self._interned))

    def constant_key(self, name: str) -> int:
        """Return a number that two constants share exactly if they are the same expression of equal arrays."""
        if name not in self._keys:
            node = self.constant_producer.get(name)
            if node is None or node.op_type == "Constant":
                value = self.constant_value(name)
                digest = hashlib.blake2b(np.ascontiguousarray(value).tobytes()).digest()
                key: Hashable = (str(value.dtype), value.shape, digest)
            else:
                inputs = tuple(self.constant_key(self.resolve(i)) if i else -1 for i in node.input)
                key = (self.node_key(node), inputs, list(node.output).index(name))
            self._keys[name] = self.intern(key)
        return self._keys[name]

    def node_key(self, node: NodeProto) -> int:
        """Return a number that two nodes share exactly if operator and attributes are equal, in whatever order."""
        attributes = sorted((attribute.name, attribute.SerializeToString()) for attribute in node.attribute)
        return self.intern((node.domain, node.op_type, tuple(attributes)))

    def constant_value(self, name: str) -> NDArray:
        """Return the value of a constant tensor, computing it where it is not an initialiser."""
        if name in self.initialisers:
            return numpy_helper.to_array(self.initialisers[name])
        node = self.constant_producer[name]
        if node.op_type == "Constant":
            return _constant_node_value(node)
        inputs = {i: self.constant_value(self.resolve(i)) for i in node.input if i}
        values = [helper.make_tensor_value_info(i, _onnx_type(v.dtype), v.shape) for i, v in inputs.items()]
        infos = [self.value_infos[i] for i in node.output]
        context = {**inputs, **{info.name: np.zeros(_shape(info), dtype=np.float32) for info in infos}}
        graph = helper.make_graph([node], "constant", values, infos)
        try:
            execute_node(node, context, graph, self._opsets.get(node.domain, 1))
        except Exception as error:  # onnxruntime and qonnx have no exception of their own for what a node may not get
            reason = " ".join(str(error).split())[:300]
            raise UserError(f"node {node.name}: cannot be computed from its constants: {reason}") from None
        return context[name]

    def constant_nodes(self, names: Iterable[str]) -> tuple[list[NodeProto], list[str]]:
        """Return the nodes that compute the constants `names`, in order, and the initialisers they start from."""
        nodes: dict[str, NodeProto] = {}
        leaves: dict[str, None] = {}
        pending = [(name, False) for name in reversed(list(names))]
        while pending:
            name, ready = pending.pop()
            node = self.constant_producer.get(name)
            if node is None:
                leaves[name] = None
            elif ready:
                nodes[node.output[0]] = node
            elif node.output[0] not in nodes:
                pending.append((name, True))
                pending += [(self.resolve(i), False) for i in reversed(node.input) if i]
        return list(nodes.values()), list(leaves)


def live_nodes(nodes: Iterable[NodeProto], outputs: Iterable[str]) -> list[int]:
    """Return the numbers of those of the sorted `nodes` that the tensors `outputs` depend on, ascending."""
    needed = set(outputs)
    live = []
    for number, node in reversed(list(enumerate(nodes))):
        if needed.intersection(node.output):
            needed.update(name for name in node.input if name)
            live.append(number)
    return live[::-1]


def _shape(value: ValueInfoProto) -> tuple[int, ...]:
    return tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)


def _onnx_type(dtype: np.dtype) -> int:
    return helper.np_dtype_to_tensor_dtype(dtype)


def _constant_node_value(node: NodeProto) -> NDArray:
    attribute = node.attribute[0]
    if attribute.name not in CONSTANT_ATTRIBUTES:
        raise FlowError(f"node '{node.name}': Constant must hold a dense number or tensor, not '{attribute.name}'")
    value = helper.get_attribute_value(attribute)
    if attribute.name == "value":
        return numpy_helper.to_array(value)
    return np.asarray(value, dtype=np.int64 if attribute.name.startswith("value_int") else np.float32)
