"""A block design as Vivado's commands make it: cells, hierarchies, nets, external ports; and the Verilog of it."""

import fnmatch
from dataclasses import dataclass, field

from finn_flow.netlist.module_header import Port
from tests.finn_flow.deployment.hardware.ip_blocks import VivadoError

STREAM, MEMORY_MAPPED = ("tdata", "tvalid", "tready"), ("awvalid", "arvalid")


@dataclass(frozen=True)
class Cell:
    """What a cell shows.

    Parameters
    ----------
    kind
        Its module or IP.
    streams
        Interfaces; True for a slave.
    other
        Further interfaces.
    inputs, outputs
        Pins that belong to no interface.
    ports
        Of an RTL module; None for IP and hierarchies.
    """

    kind: str
    streams: dict[str, bool] = field(default_factory=dict)
    other: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    ports: dict[str, Port] | None = None

    @classmethod
    def of_module(cls, module: str, ports: dict[str, Port]) -> "Cell":
        """Return a cell with the interfaces that Vivado infers from the ports' names."""
        names = {name.lower() for name in ports}
        cell = cls(module, ports=ports)
        for name, port in ports.items():
            prefix, _, signal = name.rpartition("_")
            if {f"{prefix}_{part}".lower() for part in STREAM} <= names:
                if signal.lower() == "tvalid":
                    cell.streams[prefix] = port.direction == "input"
            elif {f"{prefix}_{part}".lower() for part in MEMORY_MAPPED} & names:
                if prefix not in cell.other:
                    cell.other.append(prefix)
            else:
                (cell.inputs if port.direction == "input" else cell.outputs).append(name)
        return cell

    @property
    def interfaces(self) -> set[str]:
        """All interfaces."""
        return {*self.streams, *self.other}

    @property
    def pins(self) -> set[str]:
        """All pins that belong to no interface."""
        return {*self.inputs, *self.outputs}


@dataclass
class BlockDesign:
    """Cells by path; groups of pins and interfaces ("cell/pin") that are connected; external ports by name."""

    cells: dict[str, Cell] = field(default_factory=dict)
    groups: list[set[str]] = field(default_factory=list)
    external: dict[str, str] = field(default_factory=dict)

    def join(self, *pins: str) -> None:
        """Connect pins with each other and with what they are connected to."""
        touched = [group for group in self.groups if group & set(pins)]
        self.groups = [group for group in self.groups if group not in touched] + [set(pins).union(*touched)]

    def pins(self, pattern: str) -> list[str]:
        """Pins, or the one behind an external port, that a command names."""
        if pattern in self.external:
            return [self.external[pattern]]
        cell, name = split(pattern)
        found = fnmatch.filter(self.cells[cell].pins, name) if cell in self.cells else []
        if not found:
            raise VivadoError(f"no pin {pattern}")
        return [f"{cell}/{match}" for match in found]

    def interface(self, name: str) -> str:
        """Return the interface that a command names."""
        cell, port = split(name)
        if cell not in self.cells or port not in self.cells[cell].interfaces:
            raise VivadoError(f"no interface {name}")
        return f"{cell}/{port}"

    def is_slave(self, interface: str) -> bool | None:
        """Whether a stream is a slave; None for an interface of another kind or of a hierarchy, which is both."""
        cell, port = split(interface)
        return None if self.cells[cell].kind == "hier" else self.cells[cell].streams.get(port)

    def make_external(self, pin: str) -> None:
        """Give a pin or an interface a port of the design, called as Vivado calls it."""
        self.external[f"{split(pin)[1]}_0"] = pin
        self.join(pin)

    def unconnected(self, name: str, wanted: set[str]) -> list[str]:
        """Those of the wanted pins and interfaces of a cell that nothing is connected to."""
        return sorted(pin for pin in wanted if not any(f"{name}/{pin}" in group for group in self.groups))

    def verilog(self, module: str) -> str:
        """Return the RTL modules as instances; hierarchies are dissolved."""
        number = {pin: index for index, group in enumerate(self.groups) for pin in group}
        widths = [self._width(group) for group in self.groups]
        ports: list[str] = []
        lines = [
            f"wire [{width - 1}:0] n{index}_tdata; wire n{index}_tvalid, n{index}_tready;"
            for index, width in enumerate(widths)
            if width
        ]
        for name, pin in self.external.items():
            cell, port = split(pin)
            if port in self.cells[cell].pins:
                ports.append(f"input wire {name}")
                lines.append(f"wire n{number[pin]} = {name};")
            elif port in self.cells[cell].streams:
                for signal in STREAM:
                    inward = self.cells[cell].streams[port] == (signal != "tready")
                    size = f"[{widths[number[pin]] - 1}:0] " if signal == "tdata" else ""
                    ends = f"n{number[pin]}_{signal}", f"{name}_{signal}"
                    ports.append(f"{'input' if inward else 'output'} wire {size}{ends[1]}")
                    lines.append("assign {} = {};".format(*(ends if inward else ends[::-1])))
        for name, cell in self.cells.items():
            if cell.ports is not None:
                rows = ", ".join(f".{port}({_wire(name, cell, port, number)})" for port in cell.ports)
                lines.append(f"{cell.kind} \\{name} ({rows});")
        return "\n".join([f"module {module} ({', '.join(ports)});", *lines, "endmodule", ""])

    def _width(self, group: set[str]) -> int:
        """Bits of TDATA of connected streams, 0 for other groups."""
        for cell, port in map(split, sorted(group)):
            found = self.cells[cell]
            if found.ports is not None and port in found.streams:
                return {name.lower(): p.width_bits for name, p in found.ports.items()}[f"{port}_tdata".lower()]
        return 0


def split(pin: str) -> tuple[str, str]:
    """Cell and name of a pin."""
    cell, _, name = pin.strip("/").rpartition("/")
    return cell, name


def _wire(name: str, cell: Cell, port: str, number: dict[str, int]) -> str:
    prefix, _, signal = port.rpartition("_")
    group = number.get(f"{name}/{prefix if prefix in cell.streams else port}")
    if group is None:
        return ""
    return f"n{group}_{signal.lower()}" if prefix in cell.streams else f"n{group}"
