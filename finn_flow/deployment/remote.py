"""A board at the other end of ssh: the package copied there, its driver run there."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finn_flow.deployment import board_side
from finn_flow.deployment.driver.manifest import BITFILE, FILE, sha256
from finn_flow.errors import FlowError, UserError
from finn_flow.progress import Progress, unheard

DEFAULT_FOLDER = "dsode-accelerator"
"""Of the package on the board, in the home folder."""
NEEDED = ("numpy", "PIL", "pynq")
_VERSIONS = """
import json, sys
found = {"python": sys.version.split()[0]}
for name in sys.argv[1:]:
    found[name] = str(getattr(__import__(name), "__version__", "here"))
print(json.dumps(found))
"""
_IN_ENVIRONMENT = """
for file in /etc/profile.d/pynq_venv.sh /etc/profile.d/xrt_setup.sh; do [ ! -r "$file" ] || . "$file"; done
exec "$@"
"""
CONNECT_TIMEOUT_S = 10
SSH_FAILED = 255

_TARGET = re.compile(r"([A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9_\[][\w.:\]%-]*")


@dataclass(frozen=True)
class Copied:
    """What was copied: files sent, files that were there already, bytes sent."""

    sent: int
    kept: int
    bytes_sent: int


@dataclass(frozen=True)
class RemoteBoard:
    """A board, by the user's own ssh (keys, agents and `~/.ssh/config` are ssh's business).

    Parameters
    ----------
    target
        `user@host`, or a name of ssh's configuration.
    folder
        Of the package there; relative to the home folder.
    options
        Further arguments of ssh: `("-p", "2222")`.
    sudo
        Whether the driver is run by `sudo -n`, as the programmable logic needs root.
    python
        The board's Python.

    Raises
    ------
    UserError
        `target` is none, or ssh is not installed.
    """

    target: str
    folder: str = DEFAULT_FOLDER
    options: tuple[str, ...] = ()
    sudo: bool = False
    python: str = "python3"

    def __post_init__(self) -> None:
        if not _TARGET.fullmatch(self.target):
            raise UserError(f"{self.target!r} is not a board: name it as user@host")
        if shutil.which("ssh") is None:
            raise UserError("ssh is not installed; on Debian: apt-get install openssh-client")

    def run(
        self, command: Sequence[str], data: bytes | None = None, capture: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command on the board.

        Raises
        ------
        FlowError
            No connection; the message is ssh's.
        """
        ssh = ["ssh", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_TIMEOUT_S}", *self.options]
        output = subprocess.PIPE if capture else None
        done = subprocess.run(
            [*ssh, "--", self.target, shlex.join(command)],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            stdout=output,
            stderr=output,
            check=False,
        )
        if done.returncode == SSH_FAILED:
            reason = (done.stderr or b"").decode(errors="replace").strip().splitlines()
            raise FlowError(f"{self.target}: no connection: {reason[-1] if reason else 'see above'}")
        return done

    def _side(self, command: str, data: bytes | None = None) -> bytes:
        """Run the board's side of copying."""
        source = Path(board_side.__file__).read_text(encoding="utf-8")
        done = self.run([self.python, "-c", source, command, self.folder], data)
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise FlowError(f"{self.target}: {lines[-1] if lines else f'{self.python} failed'}")
        return done.stdout

    def check(self) -> dict[str, str]:
        """Return the versions of what the driver needs there.

        Raises
        ------
        FlowError
            Something is missing; the message says how to get it.
        """
        done = self.run([*self._python(), "-c", _VERSIONS, *NEEDED])
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip().splitlines()
            raise FlowError(
                f"{self.target} cannot run the driver: {reason[-1] if reason else 'no reason given'}; it needs "
                f"{', '.join(NEEDED)}, as on PYNQ's image for the board, and root (--sudo)"
            )
        versions: dict[str, str] = json.loads(done.stdout)
        return versions

    def copy(self, package: Path, progress: Progress = unheard) -> Copied:
        """Copy a package to the board: only what is not there already; all of it is in place at once, or nothing.

        Raises
        ------
        UserError
            No package with a bitfile.
        FlowError
            No connection, a full disk there, or something damaged on the way.
        """
        wanted = package_files(package)
        there: Mapping[str, str] = json.loads(self._side("list"))
        missing = [name for name, digest in wanted.items() if there.get(name) != digest]
        size = sum((package / name).stat().st_size for name in missing)
        progress(f"{self.target}:{self.folder}: sending {len(missing)} of {len(wanted)} files, {size / 1e6:.1f} MB")
        if missing or set(there) - set(wanted):
            self._side("receive", _archive(package, wanted, missing))
        return Copied(len(missing), len(wanted) - len(missing), size)

    def drive(self, arguments: Sequence[str], capture: bool = False) -> subprocess.CompletedProcess[bytes]:
        """Run the driver there with these arguments; its output is passed on unless `capture`."""
        inside = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", self.folder]
        return self.run([*inside, *self._python(), "-m", "driver", *arguments], capture=capture)

    def _python(self) -> list[str]:
        """Return the start of a command for the board's Python, in PYNQ's environment where there is one."""
        return [*(["sudo", "-n"] if self.sudo else []), "bash", "-c", _IN_ENVIRONMENT, "bash", self.python]


def package_files(package: Path) -> dict[str, str]:
    """Return the sha256 of every file of a package that can run.

    Raises
    ------
    UserError
        No package, or one without a bitfile.
    """
    if not (package / FILE).is_file():
        raise UserError(f"{package} holds no package; make one with `dsode package`")
    if not (package / BITFILE).is_file():
        raise UserError(f"{package} holds no bitfile; hardware/ in it builds one where Vivado is")
    paths = sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package).as_posix(): sha256(path) for path in paths}


def _archive(package: Path, wanted: Mapping[str, str], missing: Sequence[str]) -> bytes:
    """Return the tar archive that the board's side receives."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        description = json.dumps(wanted).encode()
        member = tarfile.TarInfo("files.json")
        member.size = len(description)
        archive.addfile(member, io.BytesIO(description))
        for name in missing:
            member = tarfile.TarInfo(name)
            member.size = (package / name).stat().st_size
            with (package / name).open("rb") as file:
                archive.addfile(member, file)
    return buffer.getvalue()
