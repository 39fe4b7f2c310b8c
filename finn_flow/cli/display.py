"""What people see while a command works: bars with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, TextIO

from finn_flow.progress import Task, heard_by

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SECONDS_BETWEEN_LINES = 10.0
"""Work that takes less shows no plain line of its own."""

WARNING = "warning:"


class Level(IntEnum):
    """How much is said."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


class Display:
    """Shows lines and pieces of work on one stream, whatever the process does to `sys.stderr` meanwhile.

    Parameters
    ----------
    stream
        Where to; bars if it is a terminal.
    level
        Quiet: warnings only. Verbose: every piece of work has a line with its seconds, every line the seconds so far.
    clock
        Seconds, ever growing.
    """

    def __init__(self, stream: TextIO, level: Level = Level.NORMAL, clock: Callable[[], float] = time.monotonic):
        self.stream = stream
        self.level = level
        self.clock = clock
        self._started = clock()
        self._bars: Progress | None = None
        self._open = 0

    def line(self, text: str) -> None:
        """Show a line."""
        if self.level is Level.QUIET and not text.startswith(WARNING):
            return
        if self.level is Level.VERBOSE:
            text = f"[{self.clock() - self._started:7.1f} s] {text}"
        if self._bars is not None:
            self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=self.stream, flush=True)

    def begin(self, what: str, unit: str) -> Task:
        """Show a piece of work."""
        if self.level is not Level.QUIET and self.stream.isatty():
            return _Bar(self, what, unit)
        return _Lines(self, what, unit)

    def add_bar(self, what: str, unit: str) -> tuple[Progress, TaskID]:
        """Return the bars on the screen with one more among them."""
        if self._bars is None:
            self._bars = _bars(self.stream)
            self._bars.start()
        self._open += 1
        return self._bars, self._bars.add_task(what, total=None, unit=unit)

    def remove_bar(self, task: TaskID) -> None:
        """Take a bar off the screen; the last one gives the screen back."""
        assert self._bars is not None
        self._bars.remove_task(task)
        self._open -= 1
        if not self._open:
            self._bars.stop()
            self._bars = None


def _bars(stream: TextIO) -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]},"),
        TimeElapsedColumn(),
        TextColumn("so far,"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(file=stream),
        transient=True,
    )


class _Timed:
    """A piece of work with its name, parts and start."""

    def __init__(self, display: Display, what: str, unit: str) -> None:
        self.display, self.what, self.unit = display, what, unit
        self.started = display.clock()

    def end(self) -> None:
        if self.display.level is Level.VERBOSE:
            self.display.line(f"{self.what}: {self.display.clock() - self.started:.1f} s")


class _Bar(_Timed):
    """A piece of work as a bar."""

    def __init__(self, display: Display, what: str, unit: str) -> None:
        super().__init__(display, what, unit)
        self.bars, self.task = display.add_bar(what, unit)

    def advance(self, done: int, total: int, what: str | None = None) -> None:
        self.bars.update(self.task, completed=done, total=total, description=what)

    def end(self) -> None:
        self.display.remove_bar(self.task)
        super().end()


class _Lines(_Timed):
    """A piece of work as a line from time to time."""

    def __init__(self, display: Display, what: str, unit: str) -> None:
        super().__init__(display, what, unit)
        self.last = self.started

    def advance(self, done: int, total: int, what: str | None = None) -> None:
        self.what = what or self.what
        now = self.display.clock()
        if now - self.last < SECONDS_BETWEEN_LINES or not 0 < done < total:
            return
        self.last = now
        left = (now - self.started) * (total - done) / done
        self.display.line(f"{self.what}: {done:,} of {total:,} {self.unit}, about {duration(left)} left")


def duration(seconds: float) -> str:
    """Return a time for people: "45 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


_current: Display | None = None


def current() -> Display | None:
    """Return the display of the command that runs."""
    return _current


@contextmanager
def shown_by(display: Display) -> Iterator[None]:
    """Have `display` show the lines and the work of the block."""
    global _current
    before, _current = _current, display
    try:
        with heard_by(display):
            yield
    finally:
        _current = before
