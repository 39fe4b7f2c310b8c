"""From a hardware graph to modules of instances and streams."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper

from custom_ops.mvau.op import generating_op
from custom_ops.ode_loop.op import ODELoop_rtl
from finn_flow.errors import FlowError
from finn_flow.netlist.ends import End, input_ends, output_ends
from finn_flow.netlist.instances import cells_module, make_instance
from finn_flow.netlist.node_hardware import NodeGenerator
from finn_flow.netlist.structure import INDEX, Instance, Loop, Module, ModuleKind, Node, Stream


@dataclass
class GraphModules:
    """Turns a graph and its loop bodies into modules; every node is generated on the way.

    Afterwards `modules`, `loops` and `nodes` describe the netlist, and the generator's files hold the sources. Without
    `carries_data` the two ends of a stream need to agree on the number of words only.
    """

    generator: NodeGenerator
    carries_data: bool = True
    modules: dict[str, Module] = field(default_factory=dict)
    loops: dict[str, Loop] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def add_graph(self, name: str, model: ModelWrapper) -> Module:
        """Add the module `name` of the outer graph and everything below it, and return it.

        Raises
        ------
        FlowError
            A tensor without exactly one reader, stream widths that differ, names that are not unique.
        """
        return self._add(name, "top", "", model, "the accelerator: one instance per node of the graph", [])

    def _add(
        self, name: str, kind: ModuleKind, loop: str, model: ModelWrapper, what: str, index_ends: list[tuple[str, int]]
    ) -> Module:
        ops = [generating_op(node) for node in model.graph.node]
        for op in ops:
            self._check_name(op.onnx_node.name)
        producers, consumers = _ends(model, ops)
        index = model.graph.input[1].name if index_ends else None
        inputs = [entry.name for entry in model.graph.input if entry.name != index]
        outputs = [entry.name for entry in model.graph.output]
        streams: dict[str, Stream] = {}
        connections: dict[str, dict[str, str]] = {op.onnx_node.name: {} for op in ops}
        ports: dict[str, list[str]] = {"in": [], "out": []}

        def join(stem: str, producer: End | None, consumer: End | None) -> None:
            stream = self._stream(_unique(stem, streams), producer, consumer)
            streams[stream.name] = stream
            for end, side in ((producer, "in"), (consumer, "out")):
                if end is None:
                    ports[side].append(stream.name)
                else:
                    connections[end.instance][end.port] = stream.name

        for tensor in inputs:
            join(tensor, None, _only(consumers.get(tensor, []), tensor))
        for node, _ in index_ends:
            join(f"{INDEX}_{node}", None, next(end for end in consumers[index or ""] if end.instance == node))
        for tensor, producer in producers.items():
            if tensor in outputs:
                _none(consumers.get(tensor, []), tensor)
                join(tensor, producer, None)
            else:
                join(tensor, producer, _only(consumers.get(tensor, []), tensor))
        place = {streams[name].tensor: number for number, name in enumerate(ports["out"])}
        ports["out"] = [ports["out"][place[tensor]] for tensor in outputs]  # ports are numbered as the graph's outputs
        instances = [self._node(model, op, loop, connections[op.onnx_node.name]) for op in ops]
        module = Module(name, kind, what, loop, tuple(ports["in"]), tuple(ports["out"]), streams, tuple(instances))
        self.modules[name] = module
        return module

    def _check_name(self, name: str) -> None:
        if not re.fullmatch(r"[A-Za-z]\w*", name):
            raise FlowError(f"node name {name!r} cannot be the name of a module; use NameNodes")
        if name in self._names:
            raise FlowError(f"two nodes are called {name}; use NameNodes")
        self._names.add(name)

    def _node(self, model: ModelWrapper, op: Any, loop: str, connections: dict[str, str]) -> Instance:
        name, op_type = op.onnx_node.name, op.onnx_node.op_type
        design = self.generator.generate(model, op)
        files = self.generator.files
        if isinstance(op, ODELoop_rtl):
            if loop:
                raise FlowError(f"{name}: a loop inside the body of {loop} is not possible")
            module = self._loop(op, design.cells[name])
            self.modules[module.name] = module
            instance = Instance(
                name, module.name, op_type, connections, has_clock2x=self.modules[f"{name}_body"].has_clock2x
            )
        elif design.is_hierarchy:
            module = cells_module(design, op_type, files)
            self.modules[module.name] = module
            instance = Instance(name, module.name, op_type, connections, has_clock2x=module.has_clock2x)
        else:
            module_name = design.cells[name]
            instance = make_instance(name, module_name, op_type, connections, files.ports(module_name))
        depth = int(op.get_nodeattr("depth")) if op_type == "StreamingFIFO_rtl" else 0
        self.nodes[name] = Node(name, op_type, instance.module, loop, int(op.get_exp_cycles()), depth)
        return instance

    def _loop(self, op: ODELoop_rtl, control_module: str) -> Module:
        """Return the module of a looped stage: its control, the stage without the body, and its body."""
        name = op.onnx_node.name
        consumers = op.index_consumers()
        body_name = f"{name}_body"
        what = f"body of {name}: one pass of its {op.get_nodeattr('iterations')} iterations"
        body = self._add(body_name, "body", name, op.get_nodeattr("body"), what, consumers)
        control = f"{name}_control"
        state_in, from_body = (End.of(control, f"in{i}_V", "", s) for i, s in enumerate(op.control_input_streams()))
        state_out, to_body, *index = (
            End.of(control, f"out{i}_V", "", s) for i, s in enumerate(op.control_output_streams())
        )
        pairs: list[tuple[str, End | None, End | None]] = [
            ("state_in", None, state_in),
            ("state_out", state_out, None),
            ("to_body", to_body, _module_end(body, body.inputs[0], body_name)),
            ("from_body", _module_end(body, body.outputs[0], body_name), from_body),
            *((f"{INDEX}_{k}", end, _module_end(body, body.inputs[1 + k], body_name)) for k, end in enumerate(index)),
        ]
        streams = {stem: self._stream(stem, producer, consumer) for stem, producer, consumer in pairs}
        connections: dict[str, dict[str, str]] = {control: {}, body_name: {}}
        for stem, *ends in pairs:
            for end in ends:
                if end is not None:
                    connections[end.instance][end.port] = stem
        instances = (
            make_instance(
                control, control_module, "", connections[control], self.generator.files.ports(control_module)
            ),
            Instance(body_name, body_name, "", connections[body_name], has_clock2x=body.has_clock2x),
        )
        iterations = op.get_nodeattr("iterations")
        self.loops[name] = Loop(name, iterations, op.frames_in_flight, op.body_ii_cycles)
        what = f"looped stage: every frame goes {iterations} times through {body_name}"
        return Module(name, "loop", what, name, ("state_in",), ("state_out",), streams, instances)

    def _stream(self, name: str, producer: End | None, consumer: End | None) -> Stream:
        """Return the stream between two ends, None being the module's port.

        Raises
        ------
        FlowError
            The ends disagree about the words.
        """
        end = producer or consumer
        if end is None:
            raise FlowError(f"stream {name} has no end")
        if producer and consumer:
            both = [(e.words, *((e.bits, e.pe) if self.carries_data else ())) for e in (producer, consumer)]
            if both[0] != both[1]:
                raise FlowError(f"stream {name}: {producer}, but {consumer}; use InsertWidthConverters")
        ends = producer.instance if producer else "", consumer.instance if consumer else ""
        return Stream(name, end.tensor, end.shape, end.datatype, end.bits, end.pe, *ends)


def _ends(model: ModelWrapper, ops: list[Any]) -> tuple[dict[str, End], dict[str, list[End]]]:
    """Return the producer of each tensor, and its consumers."""
    producers: dict[str, End] = {}
    consumers: dict[str, list[End]] = {}
    for op in ops:
        for end in output_ends(op):
            producers[end.tensor] = end
        for end in input_ends(model, op):
            consumers.setdefault(end.tensor, []).append(end)
    return producers, consumers


def _only(ends: list[End], tensor: str) -> End:
    if len(ends) != 1:
        readers = ", ".join(end.instance for end in ends) or "none"
        raise FlowError(f"tensor {tensor} must have exactly one reader in hardware, not {readers}; use InsertForks")
    return ends[0]


def _none(ends: list[End], tensor: str) -> None:
    if ends:
        raise FlowError(f"output {tensor} must not be read by {ends[0].instance} as well; use InsertForks")


def _module_end(module: Module, stream: str, instance: str) -> End:
    """Return the port of `module` that carries `stream`, seen from outside."""
    s = module.streams[stream]
    return End(instance, module.port_of(stream), s.tensor, s.shape, s.datatype, s.bits, s.pe)


def _unique(tensor: str, taken: dict[str, Stream]) -> str:
    """Return a wire name for a tensor."""
    stem = re.sub(r"\W", "_", tensor)
    stem = stem if re.match(r"[A-Za-z]", stem) else f"t_{stem}"
    name, count = stem, 0
    while name in taken:
        count += 1
        name = f"{stem}_{count}"
    return name
