"""Instances of generated modules: what is connected to each of their ports."""

from __future__ import annotations

from collections.abc import Mapping

from finn_flow.errors import FlowError
from finn_flow.netlist.block_design import BlockDesign
from finn_flow.netlist.module_header import Port
from finn_flow.netlist.node_hardware import SourceFiles
from finn_flow.netlist.structure import Instance, Module, Stream

CLOCK = "ap_clk"
CLOCK2X = "ap_clk2x"
RESET = "ap_rst_n"
SIGNALS = ("TDATA", "TVALID", "TREADY")


def make_instance(
    name: str,
    module: str,
    op_type: str,
    connections: dict[str, str],
    ports: Mapping[str, Port],
    clocks: tuple[str, ...] = (),
) -> Instance:
    """Return an instance of `module` with the streams of `connections` at its stream ports.

    Every port is accounted for: clock, reset, the streams' signals, `clocks` (further ports that carry the clock), a
    fast clock. Other inputs are tied to 0 (AXI-Lite ports that nobody uses), other outputs stay open.

    Raises
    ------
    FlowError
        A stream's signals are missing, or clock or reset.
    """
    rest = dict(ports)
    lower_case = []
    for port in connections:
        upper = [f"{port}_{signal}" for signal in SIGNALS]
        lower = [f"{port}_{signal.lower()}" for signal in SIGNALS]
        names = lower if lower[0] in rest else upper
        if names is lower:
            lower_case.append(port)
        for signal in names:
            if rest.pop(signal, None) is None:
                raise FlowError(f"{name}: module {module} must have a port {signal}")
    for port in (CLOCK, RESET, *clocks):
        if rest.pop(port, None) is None:
            raise FlowError(f"{name}: module {module} must have a port {port}")
    has_clock2x = rest.pop(CLOCK2X, None) is not None
    return Instance(
        name,
        module,
        op_type,
        connections,
        tuple(lower_case),
        clocks,
        has_clock2x,
        {port.name: port.width_bits for port in rest.values() if port.direction == "input"},
        tuple(port.name for port in rest.values() if port.direction == "output"),
    )


def cells_module(design: BlockDesign, op_type: str, files: SourceFiles) -> Module:
    """Return the module of a node that consists of several cells (a matrix-vector unit and its weight streamer).

    Raises
    ------
    FlowError
        A pin or a stream is connected in a way that is not understood.
    """
    name = f"{design.node}_cells"
    streams: dict[str, Stream] = {}
    connections: dict[str, dict[str, str]] = {cell: {} for cell in design.cells}
    for first, second in design.interface_nets:
        ends = _ordered(design, files, first, second)
        (producer, out_port), (consumer, _) = ends
        stream_name = next((port for cell, port in ends if not cell), f"{producer}_{out_port}")
        cell, port = ends[0] if ends[0][0] else ends[1]
        width = _tdata_port(design, files, cell, port).width_bits
        streams[stream_name] = Stream(stream_name, "", (1,), "", width, 1, producer, consumer)
        for cell, port in ends:
            if cell:
                connections[cell][port] = stream_name
    instances = []
    for cell, module in design.cells.items():
        clocks = _clocks(design, cell)
        instances.append(make_instance(cell, module, "", connections[cell], files.ports(module), clocks))
    inputs = tuple(port for port, is_slave in sorted(design.interfaces.items()) if is_slave)
    outputs = tuple(port for port, is_slave in sorted(design.interfaces.items()) if not is_slave)
    what = f"the parts of {design.node} ({op_type})"
    module_of_cells = Module(name, "cells", what, "", inputs, outputs, streams, tuple(instances))
    expected = [f"in{i}_V" for i in range(len(inputs))], [f"out{i}_V" for i in range(len(outputs))]
    if (list(inputs), list(outputs)) != expected or not {*inputs, *outputs} <= set(streams):
        raise FlowError(f"{design.node}: its streams must be in0_V, ... and out0_V, ..., not {inputs} and {outputs}")
    if module_of_cells.has_clock2x != (CLOCK2X in design.pins):
        raise FlowError(f"{design.node}: its fast clock must be a pin of its hierarchy")
    return module_of_cells


def _clocks(design: BlockDesign, cell: str) -> tuple[str, ...]:
    """Return the inputs of a cell, beside its clock, that carry the clock; check clock and reset.

    Raises
    ------
    FlowError
        A pin is connected to something else.
    """
    clocks = []
    pins = {}
    for first, second in design.pin_nets:
        for (cell_a, pin_a), (cell_b, pin_b) in ((first, second), (second, first)):
            if cell_a == "" and cell_b == cell:
                pins[pin_b] = pin_a
    for pin, source in pins.items():
        if source == CLOCK and pin == CLOCK2X:
            clocks.append(pin)
        elif source != pin or pin not in (CLOCK, RESET, CLOCK2X):
            raise FlowError(f"{design.node}: pin {pin} of {cell} must not be connected to {source}")
    if not {CLOCK, RESET} <= set(pins):
        raise FlowError(f"{design.node}: clock and reset of {cell} must be connected")
    return tuple(clocks)


def _ordered(
    design: BlockDesign, files: SourceFiles, first: tuple[str, str], second: tuple[str, str]
) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return producer and consumer of a stream."""

    def produces(end: tuple[str, str]) -> bool:
        cell, port = end
        if not cell:
            return design.interfaces[port]
        return _tdata_port(design, files, cell, port).direction == "output"

    if produces(first) == produces(second):
        raise FlowError(f"{design.node}: {first} and {second} must not be connected: they point the same way")
    return (first, second) if produces(first) else (second, first)


def _tdata_port(design: BlockDesign, files: SourceFiles, cell: str, port: str) -> Port:
    ports = files.ports(design.cells[cell])
    for signal in ("TDATA", "tdata"):
        if f"{port}_{signal}" in ports:
            return ports[f"{port}_{signal}"]
    raise FlowError(f"{design.node}: {cell} has no stream {port}")
