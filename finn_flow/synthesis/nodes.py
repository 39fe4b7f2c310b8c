"""Each node of a netlist as a synthesis job of its own, and the whole accelerator as one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from finn_flow.errors import UserError
from finn_flow.finn_adapter.rtllib_patches import patch_for_synthesis
from finn_flow.netlist import Netlist
from finn_flow.netlist.emit import Emitter
from finn_flow.netlist.structure import Instance, Module
from finn_flow.synthesis.job import StagedJob
from finn_flow.verilator.sources import StagedSources, order_sources

_DECLARATION = re.compile(r"^\s*(?:module|package|interface)\s+(?:automatic\s+)?(\w+)", re.MULTILINE)
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")
_STRING = re.compile(r'"([^"\n]+)"')
_ANY_NAME = "node"
_ALONE = f"{_ANY_NAME}_alone"
_CONTAINERS = ("body", "loop")


@dataclass(frozen=True)
class Unit:
    """A node as it is instantiated: unused inputs are 0 and unused outputs open, as in the netlist.

    Parameters
    ----------
    name
        The node's; for a looped stage's control the stage's.
    op_type
        The node's.
    loop
        The loop whose body it is in, "" for the outer graph.
    job
        What to synthesise. Nodes that differ in nothing but their names have equal jobs.
    streams
        By port of the job's top the stream that is connected in the netlist, as (module, stream).
    """

    name: str
    op_type: str
    loop: str
    job: StagedJob
    streams: dict[str, tuple[str, str]]


def units(netlist: Netlist, only: str | None = None) -> list[Unit]:
    """Return all nodes of a netlist in the order of its modules, or the one called `only`.

    Raises
    ------
    UserError
        There is no node called `only`.
    """
    files = _SourcePool(netlist)
    found = [
        Unit(
            name,
            netlist.nodes[name].op_type,
            netlist.nodes[name].loop,
            files.job(module, instance, name),
            _streams(module, instance),
        )
        for name, module, instance in _instances(netlist)
        if only in (None, name)
    ]
    if not found:
        names = ", ".join(sorted(name for name, _, _ in _instances(netlist)))
        raise UserError(f"the netlist has no node {only!r}; its nodes are {names}")
    return found


def whole(netlist: Netlist) -> StagedJob:
    """Return the job that flattens and synthesises the accelerator as one."""
    return _SourcePool(netlist).closed_job(netlist.top, {})


def _instances(netlist: Netlist) -> Iterator[tuple[str, Module, Instance]]:
    """Give each node's name, the module that it is in, and its instance; a loop's is that of its control."""
    for module in netlist.modules.values():
        if module.kind == "cells":
            continue
        for instance in module.instances:
            inner = netlist.modules.get(instance.module)
            if inner is None or inner.kind not in _CONTAINERS:
                yield module.name if module.kind == "loop" else instance.name, module, instance


class _SourcePool:
    """The texts of a netlist's files, from which each job takes what it needs."""

    def __init__(self, netlist: Netlist) -> None:
        self._netlist = netlist
        self._texts: dict[str, str] = {}
        self._words: dict[str, set[str]] = {}
        self._file_of: dict[str, str] = {}
        for name in netlist.sources:
            path = netlist.folder / name
            text = patch_for_synthesis(path.name, path.read_text())
            self._texts[name] = text
            self._words[name] = set(_WORD.findall(text))
            for declared in _DECLARATION.findall(text):
                self._file_of[declared] = name

    def job(self, module: Module, instance: Instance, node: str) -> StagedJob:
        """Return the job of one instance, with its name replaced by the same word for all nodes."""
        texts = {"alone.v": Emitter({}).source(_alone(module, instance))}
        job = self.closed_job(instance.module, texts)
        name = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(node)}(?!\d)")

        def anonymous(text: str) -> str:
            return name.sub(_ANY_NAME, text)

        sources = {anonymous(path): anonymous(text) for path, text in job.sources.modules.items()}
        data = {anonymous(path): content for path, content in job.data.items()}
        return StagedJob(_ALONE, StagedSources(sources, {}), data, label=node)

    def closed_job(self, top: str, extra: Mapping[str, str]) -> StagedJob:
        """Return a job with the files that declare `top` and all that it needs, and the memory files that they name."""
        wanted, chosen = {top}, set()
        while wanted:
            file = self._file_of.get(wanted.pop())
            if file is not None and file not in chosen:
                chosen.add(file)
                wanted |= self._words[file] & self._file_of.keys()
        texts = {name: self._texts[name] for name in self._netlist.sources if name in chosen}
        named = {string.removeprefix("./") for text in texts.values() for string in _STRING.findall(text)} - {"", "_"}
        data = {}
        for name in self._netlist.data_files:
            path = self._netlist.folder / name
            # Thresholds are named by the first part of their files' names.
            if any(path.name.startswith(start) for start in named):
                data[path.name] = path.read_bytes()
        return StagedJob(top, StagedSources(order_sources({**texts, **extra}), {}), data)


def _streams(module: Module, instance: Instance) -> dict[str, tuple[str, str]]:
    """Return the streams at the ports of an instance's job."""
    alone = _alone(module, instance)
    (inside,) = alone.instances
    return {alone.port_of(inside.connections[port]): (module.name, name) for port, name in instance.connections.items()}


def _alone(module: Module, instance: Instance) -> Module:
    """Return a module with one instance and nothing else."""
    connected = {stream: port for port, stream in instance.connections.items()}
    streams = {}
    for stream in module.streams.values():
        if stream.name in connected:
            renamed = f"stream_{connected[stream.name]}"
            streams[renamed] = replace(stream, name=renamed, tensor="", producer="", consumer="")
    ports = {port: f"stream_{port}" for port in instance.connections}
    is_input = {
        f"stream_{connected[stream.name]}": stream.consumer == instance.name
        for stream in module.streams.values()
        if stream.name in connected
    }
    return Module(
        name=_ALONE,
        kind="cells",
        what="one node as it is instantiated",
        loop="",
        inputs=tuple(name for name in streams if is_input[name]),
        outputs=tuple(name for name in streams if not is_input[name]),
        streams=streams,
        instances=(replace(instance, name=f"{_ANY_NAME}_instance", connections=ports),),
    )
