"""The certificate of a build that no FIFO is too shallow: what every node needs, and the game that shows it enough."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from finn_flow.errors import UserError
from finn_flow.fifo_sizing.token_game import Needs, TokenGame
from finn_flow.files import atomic_write_text
from finn_flow.json_files import read_json_object
from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.structure import Module, NotNegative, Positive
from finn_flow.simulation.accelerator import AcceleratorRun
from finn_flow.transformations.insert_fifos import FIFO

WHAT = "words that each node needs: after so many more at the input so many more at the output, so many times"

MOST_WORDS = 10**8
"""Of a frame, in all streams of a graph: what the game takes minutes for."""

_Steps = list[tuple[NotNegative, Positive, Positive]]
_FORMAT = TypeAdapter(dict[str, dict[str, dict[str, _Steps]]])


@dataclass(frozen=True)
class Certificate:
    """What the nodes of a netlist need; with the depths of the netlist's FIFOs it shows that nothing gets stuck.

    Parameters
    ----------
    needs
        By graph (module of the netlist), node and ports. Of a loop as a node: from frame to frame; of the nodes in
        its body: from pass to pass.
    """

    needs: Mapping[str, Mapping[str, Needs]]

    @classmethod
    def measured(cls, run: AcceleratorRun) -> Certificate:
        """Read it off the order of words in a run with one frame, in which every stream of the graphs was recorded.

        What a node gave when it had taken so many words it can give with so many; and that it took them first shows
        that it can take them while what it gave later is not taken.
        """
        netlist = run.netlist
        needs: dict[str, dict[str, Needs]] = {}
        for module in graphs(netlist):
            cycles = {name: _last_pass(run, netlist, module, name) for name in module.streams}
            needs[module.name] = {}
            for instance in module.instances:
                if instance.op_type == FIFO:
                    continue
                ends = instance.connections
                inputs = [port for port in ends if module.streams[ends[port]].consumer == instance.name]
                outputs = [port for port in ends if module.streams[ends[port]].producer == instance.name]
                needs[module.name][instance.name] = {
                    (given, made): np.searchsorted(cycles[ends[given]], cycles[ends[made]], side="right").tolist()
                    for given in inputs
                    for made in outputs
                }
        return cls(needs)

    def stuck(self, netlist: Netlist, depths: Mapping[str, int] | None = None) -> list[str]:
        """Return what waits for ever with FIFOs of these depths in words, by name; nothing if all goes on.

        Parameters
        ----------
        depths
            Those of the netlist, if not given.

        Returns
        -------
        list[str]
            Streams, as `module.stream`, whose word waits for another input of the node that they lead to.
        """
        depths = {node.name: node.fifo_depth for node in netlist.fifos()} if depths is None else depths
        found: list[str] = []
        for module in graphs(netlist):
            game = TokenGame(module, _within(module, depths), self.needs[module.name])
            if not game.play():
                found += [f"{module.name}.{name}" for name in game.starving()] or [module.name]
        return found

    @classmethod
    def load(cls, path: Path, netlist: Netlist) -> Certificate:
        """Read the certificate of a netlist.

        Raises
        ------
        UserError
            It is damaged, or of another netlist.
        """
        try:
            steps = _FORMAT.validate_python(read_json_object(path).get("graphs"))
            needs = {module.name: _needs(module, steps[module.name]) for module in graphs(netlist)}
        except (ValidationError, KeyError, ValueError):
            raise UserError(f"{path} is damaged or of another netlist; run `dsode build` again") from None
        return cls(needs)

    def save(self, path: Path) -> None:
        """Write it as JSON, on one line: it has very many numbers."""
        steps = {
            module: {
                node: {" ".join(ports): _steps(counts) for ports, counts in needs.items()}
                for node, needs in nodes.items()
            }
            for module, nodes in self.needs.items()
        }
        atomic_write_text(path, json.dumps({"what": WHAT, "graphs": steps}) + "\n")


@dataclass(frozen=True)
class DeadlockCheck:
    """What came of holding a certificate against a netlist.

    Parameters
    ----------
    joins
        Nodes with several inputs, which might wait for one while another fills up.
    fifos
        FIFOs of the netlist.
    stuck
        As `Certificate.stuck`.
    """

    joins: int
    fifos: int
    stuck: tuple[str, ...]


def check_certificate(path: Path, netlist: Netlist) -> DeadlockCheck | None:
    """Hold the certificate in a file against the streams and FIFOs of a netlist; None where there is no such file.

    Raises
    ------
    UserError
        It is damaged, or of another netlist.
    """
    if not path.is_file():
        return None
    stuck = Certificate.load(path, netlist).stuck(netlist)
    joins = 0
    for module in graphs(netlist):
        readers = Counter(stream.consumer for stream in module.streams.values() if stream.consumer)
        joins += sum(inputs > 1 for inputs in readers.values())
    return DeadlockCheck(joins, len(netlist.fifos()), tuple(stuck))


def graphs(netlist: Netlist) -> list[Module]:
    """Return the modules that are graphs of nodes: the outer one and the bodies of the loops."""
    return [module for module in netlist.modules.values() if module.kind in ("top", "body")]


def _within(module: Module, depths: Mapping[str, int]) -> dict[str, int]:
    return {instance.name: depths[instance.name] for instance in module.instances if instance.name in depths}


def _last_pass(run: AcceleratorRun, netlist: Netlist, module: Module, stream: str) -> NDArray[np.int64]:
    cycles = run.tap((module.name, stream)).transfer_cycles
    assert cycles is not None
    return cycles.reshape(netlist.passes(module.name), -1)[-1]


def _steps(counts: Sequence[int]) -> _Steps:
    """Return counts that never fall as steps: [5, 5, 6, 6, 7] is [(5, 2, 1), (1, 2, 1), (1, 1, 1)]."""
    levels = [(count, len(list(equal))) for count, equal in groupby(counts)]
    rises = [(count - before, many) for (before, _), (count, many) in zip([(0, 0), *levels], levels, strict=False)]
    return [(*step, len(list(equal))) for step, equal in groupby(rises)]


def _needs(module: Module, nodes: Mapping[str, Mapping[str, _Steps]]) -> dict[str, Needs]:
    """Return what the instances of a graph need.

    Raises
    ------
    KeyError, ValueError
        It is not there, or not for as many words as the streams have.
    """
    if sum(stream.words for stream in module.streams.values()) > MOST_WORDS:
        raise ValueError("too many words")
    found: dict[str, Needs] = {}
    for instance in module.instances:
        if instance.op_type == FIFO:
            continue
        ends = {port: module.streams[name] for port, name in instance.connections.items()}
        inputs = [port for port, stream in ends.items() if stream.consumer == instance.name]
        outputs = [port for port, stream in ends.items() if stream.producer == instance.name]
        found[instance.name] = {
            (given, made): _counts(nodes[instance.name][f"{given} {made}"], ends[given].words, ends[made].words)
            for given in inputs
            for made in outputs
        }
    return found


def _counts(steps: _Steps, words_in: int, words_out: int) -> list[int]:
    if sum(many * times for _, many, times in steps) != words_out or sum(n * t for n, _, t in steps) > words_in:
        raise ValueError("not for these words")
    counts: list[int] = []
    level = 0
    for rise, many, times in steps:
        for _ in range(times):
            level += rise
            counts += [level] * many
    return counts
