"""Writing the report of a build."""

from __future__ import annotations

from pathlib import Path

from finn_flow.files import atomic_write_json, atomic_write_text
from finn_flow.report.collect import collect
from finn_flow.report.data import ReportData
from finn_flow.report.page import render

PAGE = Path("report") / "report.html"
DATA = Path("report") / "report.json"


def write_report(folder: Path, training: Path | None = None) -> ReportData:
    """Write the page `PAGE` about the build in ``folder``, and its data `DATA`, and return the data.

    Parameters
    ----------
    training: folder of `dsode train`; by default the one around the build, if that is one.

    Raises
    ------
    UserError: no build in ``folder``, no training in ``training``, a damaged file, or no right to write.
    FlowError: the disk is full.
    """
    data = collect(folder, training)
    atomic_write_json(folder / DATA, data)
    atomic_write_text(folder / PAGE, render(data))
    return data
