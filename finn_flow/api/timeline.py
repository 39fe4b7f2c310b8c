"""`timeline`: an accelerator over time, from the simulation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from finn_flow.api.building import Build
from finn_flow.api.result import Result
from finn_flow.build_folder import BuildFolder
from finn_flow.progress import Progress, unheard
from finn_flow.tables import Table


@dataclass(frozen=True)
class Timelines(Result):
    """A lone frame, and several back to back, through an accelerator; in a notebook the picture of both.

    Parameters
    ----------
    folder
        The build's.
    data
        `lone` and `several`: passes of every node and words of every FIFO over time.
    """

    folder: Path
    data: dict[str, Any]

    def svg(self, several: bool = True, animated: bool = False) -> str:
        """Return the wavefront as SVG: nodes over cycles, coloured by iteration."""
        from finn_flow.report.files import TimelineData
        from finn_flow.report.wavefront import wavefront

        return wavefront(cast(TimelineData, self.data["several" if several else "lone"]), animated, on_paper=True)

    def tables(self) -> tuple[Table, ...]:
        """Return how long the frames took."""
        rows = [
            ("a lone frame" if name == "lone" else f"{found['frames']} frames, back to back", found["cycles"])
            for name, found in self.data.items()
        ]
        return (Table("Over time, from the simulation", ("frames", "cycles, first word in to last word out"), rows),)

    def lines(self) -> tuple[str, ...]:
        """Return where the pictures are."""
        place = BuildFolder(self.folder)
        return (f"{place.wavefront}, {place.animated_wavefront}",)

    def to_json(self) -> dict[str, Any]:
        """Return the data."""
        return self.data

    def _repr_html_(self) -> str:
        return self.svg(several=False) + self.svg()


def timeline(build: Build | str | Path, frames: int = 3, progress: Progress = unheard) -> Timelines:
    """Simulate a lone frame, and several back to back, with every stream watched.

    The data and the pictures are kept among the build's reports, where `report` finds them.

    Parameters
    ----------
    build
        A build with a netlist, or its folder.
    frames
        How many to send back to back.

    Raises
    ------
    UserError
        No netlist.
    FlowError
        No compiler, or the accelerator hangs.
    """
    from finn_flow.files import atomic_write_json, atomic_write_text
    from finn_flow.netlist import Netlist
    from finn_flow.simulation.timeline import record_timelines

    folder = build.folder if isinstance(build, Build) else Path(build)
    place = BuildFolder(folder)
    lone, several = record_timelines(Netlist.load(place.netlist), (1, frames), progress)
    result = Timelines(folder, {"lone": lone.to_json(), "several": several.to_json()})
    atomic_write_json(place.timeline, result.data)
    atomic_write_text(place.wavefront, result.svg())
    atomic_write_text(place.animated_wavefront, result.svg(animated=True))
    return result
