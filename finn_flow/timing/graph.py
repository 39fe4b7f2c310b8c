"""A mapped netlist as a graph of nets and cells, ready for timing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from finn_flow.errors import FlowError
from finn_flow.timing.delays import CLOCKS, DEDICATED_NET, DRIVES_DEDICATED, LUT, CellTiming, cell_timing, net_delay
from finn_flow.timing.delays import is_dedicated as in_slice

_ANNOTATIONS = ("$scopeinfo", "$meminfo")
Net = int


@dataclass(frozen=True)
class Cell:
    """A primitive with its nets; constants and open pins are None."""

    name: str
    type: str
    inputs: Mapping[str, list[Net | None]]
    outputs: Mapping[str, list[Net | None]]
    timing: CellTiming


class MappedGraph:
    """The cells of a flat netlist of primitives.

    Parameters
    ----------
    module
        As `finn_flow.synthesis.mapped_netlist` gives it.

    Raises
    ------
    FlowError
        There is a combinational loop.
    """

    def __init__(self, module: Mapping[str, Any]) -> None:
        self._module = module
        self.cells = [_cell(name, cell) for name, cell in module["cells"].items() if cell["type"] not in _ANNOTATIONS]
        self.loads: dict[Net, int] = defaultdict(int)
        self.driver: dict[Net, Cell] = {}
        self.readers: dict[Net, list[tuple[Cell, str, int]]] = defaultdict(list)
        for cell in self.cells:
            for port, index, net in pins(cell.inputs):
                self.loads[net] += 1
                self.readers[net].append((cell, port, index))
            for _, _, net in pins(cell.outputs):
                self.driver[net] = cell
        self.input_ports = _ports(module, "input")
        self.output_ports = _ports(module, "output")

    @cached_property
    def order(self) -> list[Cell]:
        """The cells that signals pass without a clock, every one behind those that drive it."""
        waiting: dict[str, int] = {}
        passing = [cell for cell in self.cells if cell.timing.through]
        for cell in passing:
            ways = {port for port, _ in cell.timing.through}
            nets = [net for port, _, net in pins(cell.inputs) if port in ways]
            waiting[cell.name] = sum(net in self.driver and bool(self.driver[net].timing.through) for net in nets)
        ready = [cell for cell in passing if not waiting[cell.name]]
        found: list[Cell] = []
        while ready:
            cell = ready.pop()
            found.append(cell)
            for _, _, net in pins(cell.outputs):
                for reader, port, _ in self.readers.get(net, ()):
                    if any(port == start for start, _ in reader.timing.through):
                        waiting[reader.name] -= 1
                        if not waiting[reader.name]:
                            ready.append(reader)
        if len(found) < len(passing):
            left = next(cell for cell in passing if waiting[cell.name] > 0)
            raise FlowError(f"the netlist has a combinational loop through {self.name(left)}")
        return found

    def wire(self, net: Net, cell: Cell, port: str) -> float:
        """Return the delay from a net's driver to an input of `cell`."""
        if in_slice(cell.type, port):
            driver = self.driver.get(net)
            if driver is not None and DRIVES_DEDICATED.match(driver.type):
                return DEDICATED_NET
            # What comes from elsewhere goes through a LUT of the slice, but for a carry from a chain.
            return net_delay(self.loads[net]) + LUT
        return net_delay(self.loads[net])

    @cached_property
    def _names(self) -> dict[Net, str]:
        names: dict[Net, tuple[tuple[int, int, str], str]] = {}
        for name, entry in self._module["netnames"].items():
            base = 0 if re.search(r"_q\b", name) else 1
            rank = (2 if entry.get("hide_name") else base, -name.count("."), name)
            width = len(entry["bits"])
            for index, bit in enumerate(entry["bits"]):
                if isinstance(bit, int) and (bit not in names or rank < names[bit][0]):
                    names[bit] = (rank, name if width == 1 else f"{name}[{index}]")
        return {net: name for net, (_, name) in names.items()}

    def net_name(self, net: Net) -> str:
        """Return the best name of a net."""
        return self._names.get(net, f"net {net}")

    def name(self, cell: Cell) -> str:
        """Return a cell by the name of what it drives; a memory or a DSP by its own."""
        if cell.type.startswith(("RAM", "URAM", "DSP")) and not cell.name.startswith("$"):
            return cell.name
        return next((self.net_name(net) for _, _, net in pins(cell.outputs)), cell.name)


def pins(ports: Mapping[str, list[Net | None]]) -> Iterator[tuple[str, int, Net]]:
    """Give port, index and net of all pins that are connected to a net."""
    for port, nets in ports.items():
        for index, net in enumerate(nets):
            if net is not None:
                yield port, index, net


def _cell(name: str, cell: Mapping[str, Any]) -> Cell:
    directions = cell["port_directions"]
    sides: dict[str, dict[str, list[Net | None]]] = {"input": {}, "output": {}}
    for port, bits in cell["connections"].items():
        if port not in CLOCKS:
            sides[directions[port]][port] = [bit if isinstance(bit, int) else None for bit in bits]
    timing = cell_timing(cell["type"], cell.get("parameters", {}), list(sides["input"]), list(sides["output"]))
    return Cell(name, cell["type"], sides["input"], sides["output"], timing)


def _ports(module: Mapping[str, Any], direction: str) -> dict[str, list[Net]]:
    """Return the nets of all ports of one direction that are no clocks."""
    return {
        name: [bit for bit in port["bits"] if isinstance(bit, int)]
        for name, port in module["ports"].items()
        if port["direction"] == direction and not name.startswith(("ap_clk", "clk"))
    }
