"""What is to be synthesised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from finn_flow.errors import UserError
from finn_flow.finn_adapter.rtllib_patches import patch_for_synthesis
from finn_flow.verilator.sources import StagedSources, stage_sources

PART = "xczu7ev-ffvc1156-2-e"


@dataclass(frozen=True)
class SynthesisJob:
    """A module with its sources.

    Parameters
    ----------
    top
        The module; what it instantiates is flattened into it.
    sources
        SystemVerilog and Verilog files in any order; what FINN's need is adapted in copies.
    include_dirs
        Folders of headers.
    parameters
        Overrides of the top's parameters; a string is passed as a string.
    defines
        Macros; "" for one without a value. `SYNTHESIS` is always defined.
    data_files
        Files that `$readmemh` names without a folder, or folders of such files.
    part
        Device; any of the UltraScale+ family, which have the same primitives.
    """

    top: str
    sources: Sequence[Path]
    include_dirs: Sequence[Path] = ()
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    defines: Mapping[str, str] = field(default_factory=dict)
    data_files: Sequence[Path] = ()
    part: str = PART


@dataclass(frozen=True)
class StagedJob:
    """A job with the text of all its files.

    Parameters
    ----------
    top, parameters, defines
        As in `SynthesisJob`.
    sources
        The texts, as open synthesis accepts them.
    data
        Contents of the memory files by name.
    label
        What messages call it, if not by its top.
    """

    top: str
    sources: StagedSources
    data: Mapping[str, bytes]
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    defines: Mapping[str, str] = field(default_factory=dict)
    label: str = ""

    @property
    def name(self) -> str:
        """The label, or the top."""
        return self.label or self.top

    def content(self) -> list[str]:
        """Return everything that the result depends on."""
        options = [self.top, repr(sorted(self.parameters.items())), repr(sorted(self.defines.items()))]
        memories = [part for name in sorted(self.data) for part in (name, self.data[name].hex())]
        return [*options, *self.sources.content(), *memories]

    def write(self, folder: Path) -> None:
        """Write all files below `folder`, in which the tool is to run."""
        self.sources.write(folder)
        for name, content in self.data.items():
            (folder / name).write_bytes(content)


def stage(job: SynthesisJob) -> StagedJob:
    """Read the files of a job.

    Raises
    ------
    UserError
        A file cannot be read, the part is of another family.
    """
    if not job.part.removeprefix("xc").startswith(("zu", "ku", "vu", "au", "k26", "k24")):
        raise UserError(f"open synthesis maps to UltraScale+ devices, not to {job.part}")
    return StagedJob(
        top=job.top,
        sources=stage_sources(job.sources, job.include_dirs, patch_for_synthesis),
        data=_read_data(job.data_files),
        parameters=job.parameters,
        defines=job.defines,
    )


def _read_data(paths: Sequence[Path]) -> dict[str, bytes]:
    data: dict[str, bytes] = {}
    for path in map(Path, paths):
        files = sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path]
        for file in files:
            try:
                content = file.read_bytes()
            except OSError as error:
                raise UserError(f"cannot read the memory file {file}: {error.strerror}") from error
            if data.setdefault(file.name, content) != content:
                raise UserError(f"two different memory files are called {file.name}; rename one of them")
    return data
