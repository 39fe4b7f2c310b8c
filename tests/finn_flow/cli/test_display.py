"""Progress: bars with the time left on a terminal, plain lines elsewhere, nothing or everything on demand."""

import io
import sys

import pytest

from finn_flow.cli import display, main
from finn_flow.cli.display import Display, Level, duration, shown_by
from finn_flow.progress import task


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def work(shown: Display, clock: Clock) -> None:
    """Do 12 parts of 5 s each."""
    with shown_by(shown), task("compiling", "files") as running:
        for done in range(1, 13):
            clock.now += 5
            running.advance(done, 12)


def test_plain_lines_come_every_ten_seconds_with_the_time_left():
    clock, stream = Clock(), io.StringIO()
    work(Display(stream, clock=clock), clock)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "compiling: 2 of 12 files, about 50 s left"
    assert lines[-1] == "compiling: 10 of 12 files, about 10 s left"
    assert len(lines) == 5


def test_short_work_shows_no_line():
    clock, stream = Clock(), io.StringIO()
    with shown_by(Display(stream, clock=clock)), task("compiling") as running:
        clock.now += 9
        running.advance(1, 2)
    assert stream.getvalue() == ""


def test_quiet_says_warnings_only():
    clock, stream = Clock(), io.StringIO()
    shown = Display(stream, Level.QUIET, clock)
    work(shown, clock)
    shown.line("step 1")
    shown.line("warning: it is late")
    assert stream.getvalue() == "warning: it is late\n"


def test_verbose_says_how_long_everything_took():
    clock, stream = Clock(), io.StringIO()
    shown = Display(stream, Level.VERBOSE, clock)
    work(shown, clock)
    assert stream.getvalue().splitlines()[-1] == "[   60.0 s] compiling: 60.0 s"


def test_a_terminal_has_bars_that_go_away_and_lines_that_stay():
    clock, stream = Clock(), Terminal()
    shown = Display(stream, clock=clock)
    with shown_by(shown), task("compiling", "files") as outer:
        outer.advance(1, 4)
        with task("linking") as inner:
            inner.advance(1, 2, "linking more")
        shown.line("half of it")
    text = stream.getvalue()
    assert "half of it" in text
    assert "1/4" in text
    erased = text.rpartition("\x1b[2K")[2]
    assert "compiling" not in erased
    assert "\x1b[?25h" in erased  # the cursor is back


def test_work_goes_to_the_stream_of_the_command_even_where_stderr_is_another(monkeypatch):
    clock, stream = Clock(), io.StringIO()
    with shown_by(Display(stream, clock=clock)), task("building") as running:
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        clock.now += 20
        running.advance(1, 2)
    assert stream.getvalue() == "building: 1 of 2 parts, about 20 s left\n"


def test_without_a_display_nobody_hears():
    assert display.current() is None
    with task("compiling") as running:
        running.advance(1, 2)


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (600, "10 min"), (7200, "2.0 h")])
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("option", ["--quiet", "-q", "--verbose", "-v"])
def test_every_command_has_the_options(option, capsys):
    assert main(["zoo", "list", option, "--json"]) == 0
    assert main(["build", "--help"]) == 0
    assert option in capsys.readouterr().out
