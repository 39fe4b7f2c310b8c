"""`compare`: builds side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finn_flow.api.building import Build
from finn_flow.api.result import Result
from finn_flow.errors import UserError
from finn_flow.tables import Cell, Table

if TYPE_CHECKING:
    from finn_flow.report.data import ReportData

ACCURACY = "accuracy, %"
_SETTINGS_LEFT_OUT = ("steps", "generate_outputs")


@dataclass(frozen=True)
class Comparison(Result):
    """Builds side by side.

    Parameters
    ----------
    names
        Of the builds, as they were given.
    data
        What the report knows of each.
    """

    names: tuple[str, ...]
    data: tuple[ReportData, ...]

    def tables(self) -> tuple[Table, ...]:
        """Return the figures, and what the configurations have different."""
        figures = Table("Builds side by side", ("figure", *self.names), list(self._rows()))
        settings = self._settings()
        return (figures, settings) if settings.rows else (figures,)

    def _rows(self) -> list[tuple[Cell, ...]]:
        wanted: list[tuple[str, Callable[[ReportData], Cell]]] = [
            ("network", lambda d: d["name"]),
            ("cycles per frame", lambda d: round(d["headline"]["cycles_per_frame"])),
            ("known from", lambda d: d["headline"]["cycles_source"]),
            ("frames per second", lambda d: round(d["headline"]["frames_per_second"])),
            ("clock, MHz", lambda d: d["headline"]["clock_mhz"]),
            ("latency of one frame, cycles", lambda d: d["headline"]["latency_cycles"]),
            ("multipliers at work, %", lambda d: _percent(d["headline"]["multiplier_utilisation"])),
            (ACCURACY, lambda d: _percent(d["headline"]["accuracy"])),
            ("frames that differ", lambda d: None if d["simulation"] is None else d["simulation"]["mismatches"]),
            ("slowest path, ns (estimate)", lambda d: None if d["timing"] is None else d["timing"]["worst_ns"]),
        ]
        rows: list[tuple[Cell, ...]] = [(name, *(value(data) for data in self.data)) for name, value in wanted]
        for resource in self.data[0]["resources"]:
            name = resource["resource"]
            found = [next((r for r in data["resources"] if r["resource"] == name), None) for data in self.data]
            rows.append((f"{name}, estimated", *(None if r is None else r["estimated"] for r in found)))
            rows.append((f"{name}, open synthesis", *(None if r is None else r["synthesised"] for r in found)))
        return [row for row in rows if any(cell is not None for cell in row[1:])]

    def _settings(self) -> Table:
        """Return the keys of the build configurations that differ."""
        settings = [dict(data["configuration"] or {}) for data in self.data]
        keys = sorted({key for one in settings for key in one if key not in _SETTINGS_LEFT_OUT})
        rows = [
            (key, *(None if one.get(key) is None else str(one[key]) for one in settings))
            for key in keys
            if len({str(one.get(key)) for one in settings}) > 1
        ]
        return Table("What the configurations have different", ("key", *self.names), rows)

    def to_json(self) -> dict[str, Any]:
        """Return the figures of each build by its name."""
        rows = self._rows()
        builds = {name: {row[0]: row[1 + index] for row in rows} for index, name in enumerate(self.names)}
        return {"builds": builds}


def compare(*builds: Build | str | Path) -> Comparison:
    """Return what is known of two builds or more, side by side.

    Raises
    ------
    UserError
        Fewer than two, or a folder without a build.
    """
    from finn_flow.report.collect import collect

    if len(builds) < 2:
        raise UserError("name two builds or more to compare")
    folders = [build.folder if isinstance(build, Build) else Path(build) for build in builds]
    return Comparison(_names(folders), tuple(collect(folder) for folder in folders))


def _names(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return short names: the folders' own, or, where these are equal, whole paths."""
    short = [folder.absolute().name for folder in folders]
    return tuple(short if len(set(short)) == len(short) else [str(folder) for folder in folders])


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
