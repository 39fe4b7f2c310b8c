"""Timing across the borders of nodes: what leaves one node, crosses others and enters a register of a last one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from finn_flow.errors import FlowError
from finn_flow.netlist import Netlist
from finn_flow.synthesis.nodes import Unit
from finn_flow.timing.delays import FF_CLOCK_TO_OUTPUT
from finn_flow.timing.paths import ModuleTiming, Path, wider_net

OUTSIDE = "outside"
"""The accelerator's surroundings: its ports come from registers and go to registers."""
RESET = "ap_rst_n"
_FORWARD = ("TDATA", "TVALID")
_ANY_NODE = "node_instance"
Pin = tuple[str, str]
"""A node and a signal at one of its ports."""


@dataclass(frozen=True)
class NodePath:
    """A path with the nodes that it begins and ends in."""

    start_node: str
    end_node: str
    path: Path


class AcceleratorTiming:
    """Paths of a netlist's nodes, put together along its streams.

    Parameters
    ----------
    timings
        By node.
    """

    def __init__(self, netlist: Netlist, units: list[Unit], timings: Mapping[str, ModuleTiming]) -> None:
        self._timings = {unit.name: _named(timings[unit.name], unit.name) for unit in units}
        self._drivers = dict(_connections(netlist, units))
        self._readers: dict[Pin, int] = {}
        self._arrivals: dict[Pin, Path | None] = {}

    def node(self, name: str) -> ModuleTiming:
        """Return the timing of a node, with its name in the paths."""
        return self._timings[name]

    def paths(self) -> list[NodePath]:
        """Return the slowest paths inside nodes, and from outside of each node to its registers, slowest first."""
        found = [NodePath(name, name, path) for name, timing in self._timings.items() for path in timing.paths]
        for name, timing in self._timings.items():
            for port, path in timing.entering.items():
                arrival = self._arrival((name, port), path.loads)
                if arrival is not None:
                    found.append(NodePath(_node(arrival), name, _join(arrival, path)))
        return sorted(found, key=lambda item: -item.path.delay_ns)

    def _arrival(self, pin: Pin, loads: int) -> Path | None:
        """Return the slowest path from a register to an input, before the net in its node; None if nothing comes."""
        if pin[1] == RESET:
            return Path(FF_CLOCK_TO_OUTPUT, "reset register (FDRE)", RESET)
        driver = self._drivers.get(pin)
        if driver is None:
            return Path(FF_CLOCK_TO_OUTPUT, f"{OUTSIDE} (register)", pin[1])
        path = self._leaving(driver)
        if path is None:
            return None
        return replace(path, delay_ns=path.delay_ns + wider_net(max(1, loads), path.loads))

    def _leaving(self, pin: Pin) -> Path | None:
        """Return the slowest path from a register to an output of a node, through other nodes too."""
        if pin in self._arrivals:
            found = self._arrivals[pin]
            if found is not None and found.delay_ns < 0:
                raise FlowError(f"a combinational loop goes through {pin[1]} of {pin[0]}")
            return found
        self._arrivals[pin] = Path(-1.0, "", "")
        node, port = pin
        timing = self._timings[node]
        ways = [timing.leaving[port]] if port in timing.leaving else []
        for start, ends in timing.crossing.items():
            if port in ends:
                arrival = self._arrival((node, start), ends[port].loads)
                if arrival is not None:
                    ways.append(_join(arrival, ends[port]))
        self._arrivals[pin] = max(ways, key=lambda path: path.delay_ns, default=None)
        return self._arrivals[pin]


def _connections(netlist: Netlist, units: list[Unit]) -> Iterator[tuple[Pin, Pin]]:
    """Give input and driver of all signals between nodes."""
    ends: dict[tuple[str, str], list[Pin]] = {}
    for unit in units:
        for port, stream in unit.streams.items():
            ends.setdefault(_outermost(netlist, *stream), []).append((unit.name, port))
    for pins in ends.values():
        producers = [pin for pin in pins if pin[1].startswith("out")]
        consumers = [pin for pin in pins if pin[1].startswith("in")]
        for (producer, output), (consumer, input_) in zip(producers, consumers, strict=False):
            for signal in _FORWARD:
                yield (consumer, f"{input_}_{signal}"), (producer, f"{output}_{signal}")
            yield (producer, f"{output}_TREADY"), (consumer, f"{input_}_TREADY")


def _outermost(netlist: Netlist, module: str, stream: str) -> tuple[str, str]:
    """Return the stream of the outermost module that a stream is part of."""
    current = netlist.modules[module]
    if stream not in (*current.inputs, *current.outputs):
        return module, stream
    for parent in netlist.modules.values():
        for instance in parent.instances:
            if instance.module == module:
                return _outermost(netlist, parent.name, instance.connections[current.port_of(stream)])
    return module, stream


def _join(first: Path, second: Path) -> Path:
    """Return the path that goes on with `second` where `first` ends."""
    steps = (*first.steps, f"to {second.start}", *second.steps)
    return Path(round(first.delay_ns + second.delay_ns, 3), first.start, second.end, steps, second.loads)


def _node(path: Path) -> str:
    """Return the node whose register a path starts in."""
    return path.start.split(".")[0] if "." in path.start else OUTSIDE


def _named(timing: ModuleTiming, name: str) -> ModuleTiming:
    """Return the timing with the node's name in all paths."""

    def named(path: Path) -> Path:
        texts = [text.replace(_ANY_NODE, name) for text in (path.start, path.end)]
        return replace(path, start=texts[0], end=texts[1], steps=tuple(s.replace(_ANY_NODE, name) for s in path.steps))

    return ModuleTiming(
        tuple(map(named, timing.paths)),
        {port: replace(named(path), start=f"{name} {port}") for port, path in timing.entering.items()},
        {port: named(path) for port, path in timing.leaving.items()},
        {
            start: {e: replace(named(p), start=f"{name} {start}") for e, p in ends.items()}
            for start, ends in timing.crossing.items()
        },
        {net.replace(_ANY_NODE, name): loads for net, loads in timing.fan_outs.items()},
    )
