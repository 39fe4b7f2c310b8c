"""`package`: the deployment package for the board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finn_flow.api.building import Build
from finn_flow.api.result import Result
from finn_flow.tables import Table

if TYPE_CHECKING:
    from finn_flow.deployment.package import Package as Made


@dataclass(frozen=True)
class Package(Result):
    """A deployment package.

    Parameters
    ----------
    made
        Folder, archive, build's number, samples and files.
    """

    made: Made

    @property
    def folder(self) -> Path:
        """The package as a folder."""
        return self.made.folder

    @property
    def archive(self) -> Path:
        """The package as one file."""
        return self.made.archive

    def tables(self) -> tuple[Table, ...]:
        """Return no table."""
        return ()

    def lines(self) -> tuple[str, ...]:
        """Return what is in it."""
        made = self.made
        what = f"{made.archive}: {made.files} files, {made.samples} sample images, build {made.build_id:08x}"
        if made.has_bitfile:
            return (what,)
        return what, "Left out, because it needs Vivado: the bitfile; hardware/ in the package builds it elsewhere."

    def to_json(self) -> dict[str, Any]:
        """Return what is in it."""
        made = self.made
        return {
            "folder": str(made.folder),
            "archive": str(made.archive),
            "has_bitfile": made.has_bitfile,
            "build_id": f"{made.build_id:08x}",
            "samples": made.samples,
            "files": made.files,
        }


def package(build: Build | str | Path, golden: str | Path | None = None, *, samples: int | None = None) -> Package:
    """Make the deployment package of a build: its folder `deploy`, and `deploy.zip` of it.

    Parameters
    ----------
    build
        A build with a netlist, or its folder.
    golden
        Golden file of `export`, for the sample images; by default the build's own; without one random images.
    samples
        Number of sample images; by default all golden ones.

    Raises
    ------
    UserError
        No netlist, an accelerator that the driver cannot run, golden results of another network.
    """
    from finn_flow.deployment.package import make_package

    folder = build.folder if isinstance(build, Build) else Path(build)
    return Package(make_package(folder, None if golden is None else Path(golden), samples))
