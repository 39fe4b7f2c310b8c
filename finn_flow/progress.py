"""What long work tells those who wait for it: lines, and how much of it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

Progress = Callable[[str], None]
"""Receives a line at each step."""

Advance = Callable[[int, int], None]
"""Receives how much is done, of how much in all."""


class Task(Protocol):
    """A piece of work under way."""

    def advance(self, done: int, total: int, what: str | None = None) -> None:
        """Take how much is done, of how much in all; `what`, if given, is the work's name from now on."""

    def end(self) -> None:
        """Take that nothing more will come, whether the work is whole or not."""


class Listener(Protocol):
    """Whoever shows pieces of work to people."""

    def begin(self, what: str, unit: str) -> Task:
        """Take the name of a piece of work, and what its parts are called ("frames")."""


class _Unheard:
    """Nobody waits."""

    def begin(self, what: str, unit: str) -> Task:
        return self

    def advance(self, done: int, total: int, what: str | None = None) -> None:
        pass

    def end(self) -> None:
        pass


_listener: Listener = _Unheard()


def unheard(line: str) -> None:
    """Take a line of progress that nobody waits for."""


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Have `listener` hear of every piece of work in this process during the block."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before


@contextmanager
def task(what: str, unit: str = "parts") -> Iterator[Task]:
    """Announce a piece of work that lasts as long as the block.

    Deep places call this: compilers and simulators need nobody to hand them a listener.

    Parameters
    ----------
    what
        "compiling the simulation": what a person would say.
    unit
        What its parts are called, in the plural.
    """
    begun = _listener.begin(what, unit)
    try:
        yield begun
    finally:
        begun.end()
