"""The slowest paths of one mapped module: between its registers, and to, from and across its ports."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from finn_flow.timing.delays import net_delay
from finn_flow.timing.graph import Cell, MappedGraph, Net, pins

PATHS = 10
"""Paths that are kept of a module."""
MANY_LOADS = 1000


@dataclass(frozen=True)
class Path:
    """A way through logic.

    Parameters
    ----------
    delay_ns
        From clock or port to set-up or port; a net at a port counts where it ends.
    start, end
        Registers (or memories) or ports.
    steps
        What is on the way, in order: "LUT6 sum[3] (fan-out 4)".
    loads
        Of the net at the port that the path starts at or ends at, inside the module.
    """

    delay_ns: float
    start: str
    end: str
    steps: tuple[str, ...] = ()
    loads: int = 0

    @property
    def lut_levels(self) -> int:
        """LUTs on the way."""
        return sum(step.startswith(("LUT", "INV")) for step in self.steps)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Path:
        """Return the path that `asdict` gave."""
        return cls(**{**value, "steps": tuple(value["steps"])})


@dataclass(frozen=True)
class ModuleTiming:
    """Timing of a module.

    Parameters
    ----------
    paths
        The slowest between registers, one per pair of registers, slowest first.
    entering
        By input port the slowest path from it to a register, its net inside included.
    leaving
        By output port the slowest path from a register to it, its net not included.
    crossing
        By input and output port the slowest path between them, only the input's net included.
    fan_outs
        Nets with more than `MANY_LOADS` loads, by name.
    """

    paths: tuple[Path, ...]
    entering: dict[str, Path]
    leaving: dict[str, Path]
    crossing: dict[str, dict[str, Path]]
    fan_outs: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ModuleTiming:
        """Return the timing that `to_json` gave."""
        crossing = {start: _ways(ends) for start, ends in value["crossing"].items()}
        paths = tuple(Path.from_json(path) for path in value["paths"])
        return cls(paths, _ways(value["entering"]), _ways(value["leaving"]), crossing, dict(value["fan_outs"]))


def _ways(value: Mapping[str, Any]) -> dict[str, Path]:
    return {name: Path.from_json(path) for name, path in value.items()}


def module_timing(module: Mapping[str, Any]) -> ModuleTiming:
    """Return the timing of a flat netlist of primitives, as `finn_flow.synthesis.mapped_netlist` gives it.

    Raises
    ------
    FlowError
        There is a combinational loop.
    """
    graph = MappedGraph(module)
    rank = {cell.name: place for place, cell in enumerate(graph.order)}
    arrivals = _Arrivals(graph, rank)
    for cell in graph.cells:
        for port, _, net in pins(cell.outputs):
            if port in cell.timing.launch:
                arrivals.start(net, cell.timing.launch[port])
    arrivals.run()
    entering, crossing = {}, {}
    for port, nets in graph.input_ports.items():
        from_port = _Arrivals(graph, rank, port)
        for net in nets:
            from_port.start(net, 0.0)
        from_port.run()
        if ends := from_port.ends():
            entering[port] = from_port.path(*ends[0])
        crossing[port] = from_port.at_ports()
    loads = {graph.net_name(net): count for net, count in graph.loads.items() if count > MANY_LOADS}
    return ModuleTiming(
        paths=tuple(_one_per_pair(arrivals)),
        entering=entering,
        leaving=arrivals.at_ports(),
        crossing={port: ways for port, ways in crossing.items() if ways},
        fan_outs=dict(sorted(loads.items(), key=lambda item: -item[1])),
    )


class _Arrivals:
    """The latest time at which every net that can be reached from some starts settles, and how it got there."""

    def __init__(self, graph: MappedGraph, rank: Mapping[str, int], port: str = "") -> None:
        self._graph, self._rank, self._port = graph, rank, port
        self._at: dict[Net, float] = {}
        self._from: dict[Net, Net | None] = {}
        self._started: list[Net] = []

    def start(self, net: Net, time: float) -> None:
        """Let a signal start."""
        if self._at.get(net, -1.0) < time:
            self._at[net], self._from[net] = time, None
            self._started.append(net)

    def run(self) -> None:
        """Follow all signals through the logic, every cell once."""
        graph = self._graph
        waiting: list[int] = []
        queued: set[int] = set()

        def queue(net: Net) -> None:
            for cell, _, _ in graph.readers.get(net, ()):
                rank = self._rank.get(cell.name)
                if rank is not None and rank not in queued:
                    queued.add(rank)
                    heapq.heappush(waiting, rank)

        for net in self._started:
            queue(net)
        order = graph.order
        while waiting:
            cell = order[heapq.heappop(waiting)]
            for net in self._pass(cell):
                queue(net)

    def _pass(self, cell: Cell) -> Iterable[Net]:
        """Move the signals at a cell's inputs to its outputs, and return the nets that they have reached."""
        reached = set()
        inputs = [
            (p, i, self._at[n] + self._graph.wire(n, cell, p), n) for p, i, n in pins(cell.inputs) if n in self._at
        ]
        for port, index, net in pins(cell.outputs):
            for start, number, time, before in inputs:
                arc = cell.timing.through.get((start, port))
                delay = arc.between(number, index) if arc else None
                if delay is not None and time + delay > self._at.get(net, -1.0):
                    self._at[net], self._from[net] = time + delay, before
                    reached.add(net)
        return reached

    def ends(self) -> list[tuple[float, Net, Cell, str]]:
        """Return all ends in registers: time with set-up, net, register and its port; latest first."""
        found = []
        for net, time in self._at.items():
            for cell, port, _ in self._graph.readers.get(net, ()):
                setup = cell.timing.capture.get(port)
                if setup is not None:
                    found.append((time + self._graph.wire(net, cell, port) + setup, net, cell, port))
        return sorted(found, key=lambda end: (-end[0], end[2].name, end[3]))

    def path(self, time: float, net: Net, cell: Cell, port: str) -> Path:
        """Return the path of one of `ends`."""
        start, steps, loads = self._way(net)
        return Path(round(time, 3), start, f"{self._graph.name(cell)} ({cell.type} {port})", steps, loads)

    def at_ports(self) -> dict[str, Path]:
        """Return the latest path to every output port that is reached."""
        found = {}
        for name, nets in self._graph.output_ports.items():
            reached = [(self._at[net], net) for net in nets if net in self._at]
            if reached:
                time, net = max(reached)
                start, steps, _ = self._way(net)
                found[name] = Path(round(time, 3), start, name, steps, self._graph.loads[net])
        return found

    def _way(self, net: Net) -> tuple[str, tuple[str, ...], int]:
        """Return the start of the path to a net, the cells on it, and the loads of the net that it starts with."""
        graph = self._graph
        steps: list[str] = []
        while True:
            before = self._from[net]
            if before is None:
                start = self._port or self._register(net)
                return start, tuple(reversed(steps)), graph.loads[net]
            steps.append(f"{graph.driver[net].type} {graph.net_name(net)} (fan-out {graph.loads[net]})")
            net = before

    def _register(self, net: Net) -> str:
        cell = self._graph.driver[net]
        name = self._graph.net_name(net) if cell.type.startswith(("F", "SRL")) else self._graph.name(cell)
        return f"{name} ({cell.type})"


def _one_per_pair(arrivals: _Arrivals) -> list[Path]:
    """Return the slowest paths, of those between the same registers only one."""
    found: dict[tuple[str, str], Path] = {}
    for end in arrivals.ends()[: 100 * PATHS]:
        path = arrivals.path(*end)
        found.setdefault((_register(path.start), _register(path.end)), path)
        if len(found) == PATHS:
            break
    return list(found.values())


def _register(name: str) -> str:
    """Return a register's name without the number of its bit."""
    return re.sub(r"\[\d+\]", "", name)


def wider_net(loads: int, more: int) -> float:
    """Return what a net with `loads` loads takes longer with `more` of them."""
    return net_delay(loads + more) - net_delay(loads) if more else 0.0
