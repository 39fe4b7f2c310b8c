"""Bringing a design's sources into one folder, in an order and a form that Verilator accepts."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from finn_flow.errors import UserError

HEADER_SUFFIXES = (".vh", ".svh")
_PACKAGE = re.compile(r"^\s*package\s+(?:automatic\s+)?\w+\s*;", re.MULTILINE)


@dataclass(frozen=True)
class StagedSources:
    """Source texts by file name relative to the build folder: `modules` in compile order, `headers` for includes."""

    modules: dict[str, str]
    headers: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write all files below `folder`."""
        for name, text in (*self.modules.items(), *self.headers.items()):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def content(self) -> list[str]:
        """Names and texts, for a content hash."""
        return [part for item in (*self.modules.items(), *self.headers.items()) for part in item]


Patch = Callable[[str, str], str]
"""From a file's name and text to the text that the tool gets."""


def _unchanged(name: str, text: str) -> str:
    return text


def stage_sources(sources: Iterable[Path], include_dirs: Iterable[Path], patch: Patch | None = None) -> StagedSources:
    """Read the sources, patched, packages first and identical files once.

    Parameters
    ----------
    patch
        What to change in a file; None: nothing.

    Raises
    ------
    UserError
        A file cannot be read, or two different headers have one name.
    """
    modules: dict[str, str] = {}
    headers: dict[str, str] = {}
    paths = [Path(path) for path in sources]
    for folder in include_dirs:
        paths.extend(sorted(path for path in Path(folder).iterdir() if path.suffix in HEADER_SUFFIXES))
    for path in paths:
        text = (patch or _unchanged)(path.name, _read(path))
        if path.suffix in HEADER_SUFFIXES:
            if headers.setdefault(f"include/{path.name}", text) != text:
                raise UserError(f"two different headers are called {path.name}; rename one of them")
        elif text not in modules.values():
            name = f"src/{path.name}"
            count = 1
            while name in modules:
                count += 1
                name = f"src/{path.stem}_{count}{path.suffix}"
            modules[name] = text
    return StagedSources(order_sources(modules), headers)


def order_sources(modules: Mapping[str, str]) -> dict[str, str]:
    """Return the files with the packages first."""
    return dict(sorted(modules.items(), key=lambda item: _PACKAGE.search(item[1]) is None))


def _read(path: Path) -> str:
    """Return the file's text."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"cannot read the source file {path}: {error.strerror}") from error
