"""Where downloads and expensive results are kept: the one module that reads the cache's environment variables."""

import hashlib
import json
import os
import stat
from pathlib import Path

import platformdirs

from finn_flow.errors import UserError
from finn_flow.files import check_writable_dir, disk_errors

ENVIRONMENT_VARIABLE = "DSODE_CACHE"
CHECKSUMS = "checksums.json"


def cache_dir() -> Path:
    """Return the cache's root: `$DSODE_CACHE` when set and not empty, else the user's cache (`$XDG_CACHE_HOME/dsode`).

    The folder need not exist yet.
    """
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_cache_dir("dsode"))


def cache_subdir(name: str) -> Path:
    """Return the subfolder `name` of the cache, created and proven to be ours and writable.

    Raises
    ------
    UserError, FlowError
        As `finn_flow.files.check_writable_dir`; or other users can write to the cache, and so could have this one run
        their programs.
    """
    root = cache_dir()
    with disk_errors(root):
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = root / name
    with disk_errors(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
    for path in (root, folder):
        check_private(path, path.stat(), os.geteuid())
    return check_writable_dir(folder)


def check_private(path: Path, state: os.stat_result, user: int) -> None:
    """Refuse a folder to which others than `user` and root can write.

    Raises
    ------
    UserError
        It is one.
    """
    advice = f"choose another place for the cache with {ENVIRONMENT_VARIABLE}"
    if state.st_uid not in (user, 0):
        raise UserError(f"{path} belongs to user {state.st_uid}, whose programs would be run from it; {advice}")
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UserError(
            f"other users can write to {path}, and their programs would be run from it; "
            f"run `chmod go-w {path}`, or {advice}"
        )


def seal(folder: Path) -> None:
    """Complete a folder: its files are on the disk, nobody else can change them, and their checksums beside them."""
    digests = {}
    for path in sorted(folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~(stat.S_IWGRP | stat.S_IWOTH))
        if path.is_file():
            digests[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
            _to_disk(path)
    checksums = folder / CHECKSUMS
    checksums.write_text(json.dumps(digests))
    folder.chmod(0o755)
    _to_disk(checksums)
    _to_disk(folder)


def is_whole(folder: Path) -> bool:
    """Whether a folder is as `seal` left it."""
    try:
        digests = json.loads((folder / CHECKSUMS).read_text())
        return all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == value for name, value in digests.items())
    except (OSError, ValueError, AttributeError):
        return False


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
