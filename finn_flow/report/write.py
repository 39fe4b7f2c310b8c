"""Writing the report of a build."""

from __future__ import annotations

import tempfile
from pathlib import Path

from finn_flow.files import atomic_write_json, atomic_write_text, disk_errors, replace_together
from finn_flow.report.collect import collect
from finn_flow.report.data import ReportData
from finn_flow.report.page import render

PAGE = Path("report") / "report.html"
DATA = Path("report") / "report.json"


def write_report(folder: Path, training: Path | None = None) -> ReportData:
    """Write the page `PAGE` about the build in ``folder``, and its data `DATA`, and return the data.

    Nothing changes unless both can be made, and the data beside a page is always that page's.

    Parameters
    ----------
    training: folder of `dsode train`; by default the one around the build, if that is one.

    Raises
    ------
    UserError: no build in ``folder``, no training in ``training``, a damaged file, or no right to write.
    FlowError: the disk is full.
    """
    data = collect(folder, training)
    page = render(data)
    target = folder / PAGE.parent
    with disk_errors(target):
        target.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target, prefix=".report.") as name:
            temporary = Path(name)
            atomic_write_text(temporary / PAGE.name, page)
            atomic_write_json(temporary / DATA.name, data)
            replace_together([(temporary / path.name, folder / path) for path in (PAGE, DATA)])
    return data
