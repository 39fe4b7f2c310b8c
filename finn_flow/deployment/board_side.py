"""What runs on the board while a package is copied there: sent as text to its Python, needs nothing but that.

Called with a command and the package's folder. `list` prints the sha256 of every file as JSON. `receive` reads a tar
archive from standard input whose first member, `files.json`, names all files of the package with their sha256, and puts
the package in its place: files that are not in the archive are taken from what is there, everything is verified, and
the old folder is replaced in one step.
"""

import hashlib
import json
import shutil
import sys
import tarfile
from pathlib import Path
from typing import IO, Optional


def sha256(path: Path) -> str:
    """Return the sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def found(folder: Path) -> "dict[str, str]":
    """Return the sha256 of every regular file below `folder`."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in paths}


def content(archive: tarfile.TarFile, member: Optional[tarfile.TarInfo]) -> IO[bytes]:  # noqa: UP045 (any Python 3)
    """Return what a member that is a regular file holds; ends the process for any other."""
    file = archive.extractfile(member) if member is not None and member.isfile() else None
    if file is None:
        sys.exit("the archive ends too early, or holds what is no file")
    return file


def receive(folder: Path) -> None:
    """Put the package that comes through standard input in place of `folder`."""
    new, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    for path in (new, old):
        shutil.rmtree(path, ignore_errors=True)
    new.mkdir(parents=True)
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
        files = json.load(content(archive, archive.next()))
        for name in files:
            (new / name).parent.mkdir(parents=True, exist_ok=True)
        # Not by iterating, which would begin with the first member again.
        while (member := archive.next()) is not None:
            if member.name not in files:
                sys.exit("unexpected in the archive: " + member.name)
            with (new / member.name).open("wb") as target:
                shutil.copyfileobj(content(archive, member), target)
    for name, digest in files.items():
        if not (new / name).exists():
            shutil.copyfile(folder / name, new / name)
        if sha256(new / name) != digest:
            shutil.rmtree(new)
            sys.exit("damaged on the way: " + name)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    place = Path(sys.argv[2]).expanduser().absolute()
    if sys.argv[1] == "list":
        print(json.dumps(found(place)))
    else:
        receive(place)
