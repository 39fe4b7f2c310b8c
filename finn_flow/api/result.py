"""What every verb's result can do: show itself in a notebook, on a terminal, and as JSON."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from html import escape
from typing import Any

from finn_flow.tables import Table


class Result(ABC):
    """The outcome of a verb. In a notebook it shows its tables and lines."""

    @abstractmethod
    def tables(self) -> Sequence[Table]:
        """Return what is worth a look, the most important first."""

    def lines(self) -> Sequence[str]:
        """Return sentences that belong below the tables."""
        return ()

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return all of it as values for JSON; what the command prints with `--json`."""

    def _repr_markdown_(self) -> str:
        return "\n".join([*(table.to_markdown() for table in self.tables()), *(f"{line}\n" for line in self.lines())])

    def _repr_html_(self) -> str:
        lines = (f"<p>{escape(line)}</p>" for line in self.lines())
        return "".join([*(table.to_html() for table in self.tables()), *lines])

    def __str__(self) -> str:
        return self._repr_markdown_()
