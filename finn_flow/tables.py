"""Tables of figures, as text for a terminal's reader, a notebook or a page. A cell is a text, a number, or None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Cell = str | int | float | None

NO_FIGURE = "–"  # noqa: RUF001 (an en dash, as tables have it)


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row names it. A cell that is None has no figure."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]

    def to_markdown(self) -> str:
        """Return the table in Markdown, its caption above; numbers stand on the right."""
        sides = ["---:" if self.is_number(column) else "---" for column in range(len(self.columns))]
        cells = ([figure(cell).replace("|", r"\|") for cell in row] for row in (self.columns, *self.rows))
        head, *body = (f"| {' | '.join(line)} |" for line in cells)
        text = "\n".join([head, f"| {' | '.join(sides)} |", *body])
        return f"**{self.caption}**\n\n{text}\n"

    def to_html(self) -> str:
        """Return the table in HTML, for notebooks."""
        side = [' style="text-align: right"' if self.is_number(column) else "" for column in range(len(self.columns))]
        head = "".join(f"<th{at}>{escape(name)}</th>" for name, at in zip(self.columns, side, strict=True))
        rows = (
            "".join(f"<td{at}>{escape(figure(cell))}</td>" for cell, at in zip(row, side, strict=True))
            for row in self.rows
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        caption = f'<caption style="text-align: left; font-weight: bold">{escape(self.caption)}</caption>'
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def is_number(self, column: int) -> bool:
        """Whether a column's cells are numbers, or none; the first column names rows."""
        cells = [row[column] for row in self.rows]
        return column > 0 and any(cell is not None for cell in cells) and not any(isinstance(c, str) for c in cells)


def figure(value: Cell, digits: int = 1) -> str:
    """Return a cell as text: whole numbers with thousands separated, others with `digits` digits."""
    match value:
        case None:
            return NO_FIGURE
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.{digits}f}"
    return str(value)
