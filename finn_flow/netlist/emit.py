"""Writing modules as readable Verilog, optionally with what only a simulation needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from finn_flow.netlist import parameter_bus
from finn_flow.netlist.instances import CLOCK, CLOCK2X, RESET, SIGNALS
from finn_flow.netlist.structure import Instance, Module, Stream

COUNT_BITS = 32
PACER = "stream_pacer"
ADJUSTABLE_FIFO = "adjustable_fifo"
SETTINGS = "settings.dat"
"""The file from which pacers and adjustable FIFOs take their settings when a simulation starts; see their sources."""


@dataclass(frozen=True)
class Pace:
    """Words that may pass in so many cycles."""

    words: int
    cycles: int


@dataclass(frozen=True)
class Instruments:
    """What a variant for simulation has beside, or instead of parts of, the netlist itself.

    Parameters
    ----------
    taps
        Streams, as (module, stream), that are copied to output streams of the top, `tap_name(...)`.
    adjustable_fifos
        Names of FIFOs of which only the handshakes are left, with depths from the settings; the greatest occupancy of
        each comes out of the top as `count_name(...)`.
    pacers
        Streams, as (module, stream), that are slowed down to a pace, if the settings say so.
    """

    taps: frozenset[tuple[str, str]] = frozenset()
    adjustable_fifos: tuple[str, ...] = ()
    pacers: Mapping[tuple[str, str], Pace] = field(default_factory=dict)

    def settings(self, depths: Mapping[str, int], paced: bool) -> str:
        """Return what the file of settings holds for FIFOs of these depths in words (0: none), by name."""
        values = [int(paced), *(depths[name] for name in self.adjustable_fifos)]
        return "".join(f"{value:x}\n" for value in values)


def tap_name(module: str, stream: str) -> str:
    """Return the name of the top's output stream that copies a stream."""
    return f"tap_{module}_{stream}"


def count_name(fifo: str) -> str:
    """Return the name of the top's output that holds the greatest occupancy of a FIFO."""
    return f"maxcount_{fifo}"


@dataclass(frozen=True)
class Emitter:
    """Writes the modules of a netlist."""

    modules: Mapping[str, Module]
    instruments: Instruments = field(default_factory=Instruments)

    def source(self, module: Module) -> str:
        """Return the Verilog source of `module`, one of `modules`."""
        streams = [(f"in{i}_V", module.streams[name], True) for i, name in enumerate(module.inputs)]
        streams += [(f"out{i}_V", module.streams[name], False) for i, name in enumerate(module.outputs)]
        writable, is_top = self._writable(module), module.kind == "top"
        buses = [name for name, _, _ in streams] + ([parameter_bus.PORT] if writable and is_top else [])
        ports = [_clock_ports(module, buses)]
        ports += [_stream_ports(name, stream.tdata_bits, is_input) for name, stream, is_input in streams]
        ports += [_tap_ports(name, bits) for name, bits in self._taps(module)]
        ports += [f"    output wire [{COUNT_BITS - 1}:0] {count_name(fifo)}" for fifo in self._counts(module)]
        if writable:
            ports.append(parameter_bus.axi_ports() if is_top else parameter_bus.bus_ports())
        parts = [
            f"// {module.name}: {module.what}. Generated; see netlist.json.\n`default_nettype none\n",
            f"module {module.name} (\n" + ",\n\n".join(ports) + "\n);\n",
            *(self._declaration(module, stream) for stream in module.streams.values()),
            self._bus(module) if writable else "",
            *(self._instance(module, instance) for instance in module.instances),
            "endmodule\n\n`default_nettype wire\n",
        ]
        return "\n".join(part for part in parts if part)

    # Parameters that are written

    def has_writable_parameters(self, name: str) -> bool:
        """Whether a module, or one below it, has parameters that are written."""
        return name in self.modules and bool(self._writable(self.modules[name]))

    def _writable(self, module: Module) -> list[Instance]:
        return [
            instance
            for instance in module.instances
            if parameter_bus.is_on_bus(instance) or self.has_writable_parameters(instance.module)
        ]

    def _bus(self, module: Module) -> str:
        is_top = module.kind == "top"
        text = parameter_bus.joined(self._writable(module), is_top)
        if is_top:
            source, sink = module.streams[module.inputs[0]], module.streams[module.outputs[0]]
            text += "\n" + parameter_bus.port_instance(module, source, sink)
        return text

    def _into(self, module: Module, stream: str) -> list[str]:
        """Return the names of a stream's signals where it goes into its consumer, a pacer aside."""
        if module.kind == "top" and stream in module.inputs and self._writable(module):
            return parameter_bus.gated(module.port_of(stream))
        return _signals(module, stream)

    # What a module's children hand up

    def _children(self, module: Module) -> list[Module]:
        return [self.modules[instance.module] for instance in module.instances if instance.module in self.modules]

    def _own_taps(self, module: Module) -> list[Stream]:
        return [stream for stream in module.streams.values() if (module.name, stream.name) in self.instruments.taps]

    def _taps(self, module: Module) -> list[tuple[str, int]]:
        own = [(tap_name(module.name, stream.name), stream.tdata_bits) for stream in self._own_taps(module)]
        return own + [tap for child in self._children(module) for tap in self._taps(child)]

    def _counts(self, module: Module) -> list[str]:
        own = [instance.name for instance in module.instances if instance.name in self.instruments.adjustable_fifos]
        return own + [fifo for child in self._children(module) for fifo in self._counts(child)]

    # Streams

    def _declaration(self, module: Module, stream: Stream) -> str:
        lines = []
        if module.kind != "cells":
            shape = "x".join(str(n) for n in stream.shape)
            lines.append(f"    // {stream.name}: {shape} {stream.datatype}, {stream.pe} a word")
        if not {stream.name} & {*module.inputs, *module.outputs}:
            lines += _wires(stream.name, stream.tdata_bits)
        pace = self.instruments.pacers.get((module.name, stream.name))
        if pace is not None:
            paced = f"{stream.name}_paced"
            lines += _wires(paced, stream.tdata_bits)
            after = [f"{paced}_{signal.lower()}" for signal in SIGNALS]
            lines += _pacer(stream, self._into(module, stream.name), after, pace, self._settings)
        if (module.name, stream.name) in self.instruments.taps:
            tdata, tvalid, tready = _signals(module, stream.name)
            name = tap_name(module.name, stream.name)
            lines += [f"    assign {name}_TDATA = {tdata};", f"    assign {name}_TVALID = {tvalid} && {tready};"]
        return "\n".join(lines) + "\n" if lines else ""

    # Instances

    @property
    def _settings(self) -> int:
        """Lines in the file of settings."""
        return 1 + len(self.instruments.adjustable_fifos)

    def _adjustable_fifo(self, module: Module, instance: Instance) -> str:
        """Return the instance of an adjustable FIFO in place of `instance`."""
        source, sink = (instance.connections[port] for port in ("in0_V", "out0_V"))
        names = [f"s_axis_{signal.lower()}" for signal in SIGNALS[1:]] + [f"m_axis_{s.lower()}" for s in SIGNALS]
        wires = self._into(module, source)[1:] + _signals(module, sink)
        rows = [f".clk({CLOCK})", f".rst(!{RESET})", f".maxcount({count_name(instance.name)})"]
        rows += [f".{name}({wire})" for name, wire in zip(names, wires, strict=True)]
        index = 1 + self.instruments.adjustable_fifos.index(instance.name)
        parameters = f".DATA_WIDTH({module.streams[sink].tdata_bits}), .INDEX({index}), .SETTINGS({self._settings})"
        return f"    {ADJUSTABLE_FIFO} #({parameters}) {instance.name} ({', '.join(rows)});\n"

    def _instance(self, module: Module, instance: Instance) -> str:
        if instance.name in self.instruments.adjustable_fifos:
            return self._adjustable_fifo(module, instance)
        rows = [f".{CLOCK}({CLOCK})", *(f".{port}({CLOCK})" for port in instance.clocks)]
        if instance.has_clock2x:
            rows.append(f".{CLOCK2X}({CLOCK2X})")
        rows.append(f".{RESET}({RESET})")
        for port, name in instance.connections.items():
            stream = module.streams[name]
            wires = self._into(module, name) if stream.consumer == instance.name else _signals(module, name)
            if (module.name, name) in self.instruments.pacers and stream.consumer == instance.name:
                wires = [f"{name}_paced_{signal.lower()}" for signal in SIGNALS]
            lower = port in instance.lower_case
            rows += [
                f".{port}_{signal.lower() if lower else signal}({wire})"
                for signal, wire in zip(SIGNALS, wires, strict=True)
            ]
        is_bus_port = parameter_bus.is_bus_port
        rows += [f".{port}({_zeros(bits)})" for port, bits in instance.tied.items() if not is_bus_port(port)]
        child = self.modules.get(instance.module)
        rows += [f".{port}()" for port in instance.open_outputs if not is_bus_port(port)]
        if instance in self._writable(module):
            rows += parameter_bus.instance_rows(instance)
        if child is not None:
            rows += [f".{name}_{s}({name}_{s})" for name, _ in self._taps(child) for s in SIGNALS]
            rows += [f".{count_name(fifo)}({count_name(fifo)})" for fifo in self._counts(child)]
        body = ",\n".join(f"        {row}" for row in rows)
        return f"    {instance.module} {instance.name} (\n{body}\n    );\n"


def _signals(module: Module, stream: str) -> list[str]:
    """Return the module's names for TDATA, TVALID and TREADY of a stream."""
    if stream in module.inputs or stream in module.outputs:
        return [f"{module.port_of(stream)}_{signal}" for signal in SIGNALS]
    return [f"{stream}_{signal.lower()}" for signal in SIGNALS]


def _clock_ports(module: Module, buses: list[str]) -> str:
    bus_list = ":".join(buses)
    lines = [
        f'    (* X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 {CLOCK} CLK" *)',
        f'    (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF {bus_list}, ASSOCIATED_RESET {RESET}" *)',
        f"    input  wire {CLOCK},",
    ]
    if module.has_clock2x:
        lines.append(f'    (* X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 {CLOCK2X} CLK" *)')
        lines.append(f"    input  wire {CLOCK2X},")
    lines.append('    (* X_INTERFACE_PARAMETER = "POLARITY ACTIVE_LOW" *)')
    lines.append(f"    input  wire {RESET}")
    return "\n".join(lines)


def _stream_ports(name: str, bits: int, is_input: bool) -> str:
    forward, backward = ("input ", "output") if is_input else ("output", "input ")
    return (
        f"    {forward} wire [{bits - 1}:0] {name}_TDATA,\n"
        f"    {forward} wire {name}_TVALID,\n"
        f"    {backward} wire {name}_TREADY"
    )


def _tap_ports(name: str, bits: int) -> str:
    return f"    // TREADY of a tap has no effect.\n{_stream_ports(name, bits, is_input=False)}"


def _wires(name: str, bits: int) -> list[str]:
    return [f"    wire [{bits - 1}:0] {name}_tdata;", f"    wire {name}_tvalid, {name}_tready;"]


def _pacer(stream: Stream, before: list[str], after: list[str], pace: Pace, settings: int) -> list[str]:
    rows = [f".clk({CLOCK})", f".rst(!{RESET})"]
    rows += [f".s_axis_{signal.lower()}({wire})" for signal, wire in zip(SIGNALS, before, strict=True)]
    rows += [f".m_axis_{signal.lower()}({wire})" for signal, wire in zip(SIGNALS, after, strict=True)]
    parameters = (
        f".DATA_WIDTH({stream.tdata_bits}), .WORDS({pace.words}), .CYCLES({pace.cycles}), .SETTINGS({settings})"
    )
    return [f"    {PACER} #({parameters}) {stream.name}_pacer ({', '.join(rows)});"]


def _zeros(bits: int) -> str:
    return f"{bits}'b0"
