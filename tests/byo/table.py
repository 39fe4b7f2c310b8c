"""The table of cases in `docs/models.md`: `python -m tests.byo.table` writes it anew."""

from __future__ import annotations

import re

from tests.byo.cases import CASES
from tests.places import ROOT

DOCUMENT = ROOT / "docs" / "models.md"
_PLACE = re.compile(r"(<!-- cases: .*? -->\n)(.*?)(<!-- end of cases -->)", re.DOTALL)


def table() -> str:
    """Return the table in Markdown."""
    rows = [f"| {case.what} | {outcome(case.refusal)} |\n" for case in CASES.values()]
    return "".join(["| way | outcome |\n| --- | --- |\n", *rows])


def outcome(refusal: str | None) -> str:
    """Return the second column."""
    return "exact" if refusal is None else f"refused: {refusal.replace('|', chr(92) + '|')}"


def written() -> str:
    """Return the table that the document has."""
    found = _PLACE.search(DOCUMENT.read_text())
    assert found is not None
    return found[2]


if __name__ == "__main__":
    text = DOCUMENT.read_text()
    DOCUMENT.write_text(_PLACE.sub(lambda found: found[1] + table() + found[3], text))
