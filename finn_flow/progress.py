"""What long work tells those who wait for it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
"""Receives a line at each step."""

Advance = Callable[[int, int], None]
"""Receives how much is done, of how much in all."""


def unheard(line: str) -> None:
    """Take a line of progress that nobody waits for."""
