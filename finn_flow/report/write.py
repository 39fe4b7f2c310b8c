"""Writing the report of a build."""

from __future__ import annotations

from pathlib import Path

from finn_flow.build_folder import BuildFolder
from finn_flow.files import atomic_write_json, atomic_write_text, disk_errors, replace_together, workspace_in
from finn_flow.report.collect import collect
from finn_flow.report.data import ReportData
from finn_flow.report.page import render


def write_report(folder: Path, training: Path | None = None) -> ReportData:
    """Write the page about the build in `folder`, and its data, and return the data.

    Nothing changes unless both can be made, and the data beside a page is always that page's.

    Parameters
    ----------
    training
        As for `collect`.

    Raises
    ------
    UserError
        No build in `folder`, no training in `training`, a damaged file, or no right to write.
    FlowError
        The disk is full.
    """
    data = collect(folder, training)
    page = render(data)
    place = BuildFolder(folder)
    target = place.reports
    with disk_errors(target):
        target.mkdir(exist_ok=True)
        with workspace_in(target, ".report.") as temporary:
            atomic_write_text(temporary / place.page.name, page)
            atomic_write_json(temporary / place.page_data.name, data)
            replace_together([(temporary / path.name, path) for path in (place.page, place.page_data)])
    return data
