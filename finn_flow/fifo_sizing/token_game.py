"""Whether a frame comes through a graph of nodes and FIFOs in whatever time the nodes take: a game with words.

Every stream has a word that is offered, or none. The rules leave out all that nodes may hold beyond what they were seen
to hold, so whoever comes through here comes through in hardware, too:

1. A node offers word k of an output once as many words of each input as it needs for that are taken or offered.
2. A node takes word j of an input once all output words that need no more than j words of that input are taken.
3. A FIFO takes a word while it holds fewer than its depth, and offers what it holds; without depth it is a wire.
4. The ends of the graph always offer and take.

Which of the possible moves comes first does not matter: a move never makes another one impossible. So where one game
ends with all words at the other end and nothing inside, every course of events in which the graph waits for its ends,
or its nodes for anything but words, goes on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from finn_flow.netlist.structure import Module

Needs = Mapping[tuple[str, str], Sequence[int]]
"""By input and output port of a node: for each word of a frame at the output, the words of the frame at the input."""


@dataclass
class _Stream:
    words: int
    producer: str
    consumer: str
    taken: int = 0
    offered: bool = False

    @property
    def seen(self) -> int:
        """Words taken or offered."""
        return self.taken + self.offered


class TokenGame:
    """One frame, or one pass through a loop's body, on its way through a graph.

    Parameters
    ----------
    module
        The graph.
    depths
        Depth in words of each FIFO among its instances.
    needs
        Of each other instance by name.

    Raises
    ------
    KeyError
        There is no word on what an instance needs.
    """

    def __init__(self, module: Module, depths: Mapping[str, int], needs: Mapping[str, Needs]) -> None:
        self._depths = depths
        self._streams = {s.name: _Stream(s.words, s.producer, s.consumer) for s in module.streams.values()}
        self._forward: dict[str, list[tuple[str, Sequence[int]]]] = {name: [] for name in self._streams}
        self._backward: dict[str, list[tuple[str, Sequence[int]]]] = {name: [] for name in self._streams}
        self._touched: dict[str, list[str]] = {}
        for instance in module.instances:
            ends = instance.connections
            self._touched[instance.name] = list(ends.values())
            if instance.name in depths:
                continue
            for (given, made), counts in needs[instance.name].items():
                source, sink = ends[given], ends[made]
                self._forward[sink].append((source, counts))
                self._backward[source].append((sink, counts))
        self._fifo_ends = {
            instance.name: (instance.connections["in0_V"], instance.connections["out0_V"])
            for instance in module.instances
            if instance.name in depths
        }

    def play(self) -> bool:
        """Make moves until there are none; return whether the frame is through."""
        queue = deque(self._streams)
        waiting = set(queue)
        while queue:
            name = queue.popleft()
            waiting.discard(name)
            stream = self._streams[name]
            while self._offer(name, stream) or self._take(name, stream):
                for instance in (stream.producer, stream.consumer):
                    for other in self._touched.get(instance, ()):
                        if other not in waiting:
                            waiting.add(other)
                            queue.append(other)
        return all(stream.taken == stream.words for stream in self._streams.values())

    def starving(self) -> list[str]:
        """Return the streams inside whose word, after a game, waits for another input of the node that it leads to."""
        found = []
        for name, stream in self._streams.items():
            others = (other for other in self._touched.get(stream.consumer, ()) if other != name)
            inputs = [self._streams[other] for other in others if self._streams[other].consumer == stream.consumer]
            if (
                stream.offered
                and stream.producer
                and any(not other.offered and other.taken < other.words for other in inputs)
            ):
                found.append(name)
        return found

    def _offer(self, name: str, stream: _Stream) -> bool:
        if stream.offered or stream.taken == stream.words:
            return False
        if stream.producer in self._depths:
            source = self._streams[self._fifo_ends[stream.producer][0]]
            enough = (source.taken if self._depths[stream.producer] else source.seen) > stream.taken
        else:
            word = stream.taken
            enough = all(self._streams[source].seen >= counts[word] for source, counts in self._forward[name])
        stream.offered = enough
        return enough

    def _take(self, name: str, stream: _Stream) -> bool:
        if not stream.offered:
            return False
        if stream.consumer in self._depths:
            sink = self._streams[self._fifo_ends[stream.consumer][1]]
            depth = self._depths[stream.consumer]
            room = stream.taken - sink.taken < depth if depth else sink.taken > stream.taken
        else:
            word = stream.taken + 1
            room = all(self._streams[sink].taken >= bisect_right(counts, word) for sink, counts in self._backward[name])
        if room:
            stream.taken += 1
            stream.offered = False
        return room
