"""`report`: one page about a build."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finn_flow.api.building import Build
from finn_flow.api.result import Result
from finn_flow.api.training import Training
from finn_flow.build_folder import BuildFolder
from finn_flow.tables import Table

if TYPE_CHECKING:
    from finn_flow.report.data import ReportData


@dataclass(frozen=True)
class Report(Result):
    """A page about a build, which a notebook shows as it is.

    Parameters
    ----------
    page
        `report.html`; `report.json` beside it holds the figures.
    data
        The figures.
    """

    page: Path
    data: ReportData

    def tables(self) -> tuple[Table, ...]:
        """Return no table: they are on the page."""
        return ()

    def lines(self) -> tuple[str, ...]:
        """Return where the page is, and what is not known yet."""
        missing = (f"  not known yet: {entry['what']}; {entry['command']}" for entry in self.data["missing"])
        return (f"{self.page}", *missing)

    def to_json(self) -> dict[str, Any]:
        """Return the figures and where they are."""
        return {"page": str(self.page), "data": str(self.page.with_suffix(".json")), **self.data}

    def _repr_html_(self) -> str:
        text = escape(self.page.read_text(encoding="utf-8"), quote=True)
        return f'<iframe srcdoc="{text}" style="width: 100%; height: 40rem; border: 1px solid #ccc"></iframe>'


def report(build: Build | str | Path, training: Training | str | Path | None = None) -> Report:
    """Write what is known of a build to one page that works offline and prints.

    Parameters
    ----------
    build
        A build, or its folder.
    training
        The training that made the model, or its folder; by default what the export kept of it.

    Raises
    ------
    UserError
        No build, no training, a damaged file.
    """
    from finn_flow.report.write import write_report

    folder = build.folder if isinstance(build, Build) else Path(build)
    trained = training.folder if isinstance(training, Training) else training
    data = write_report(folder, None if trained is None else Path(trained))
    return Report(BuildFolder(folder).page, data)
