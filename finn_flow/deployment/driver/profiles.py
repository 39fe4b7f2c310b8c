"""Profiles: statistics and parameters for surroundings, kept in the package's folder `profiles/`.

A file is written beside its place and put there in one step, so that after a loss of power at any moment it is the old
one or the new one. Its first line is the SHA-256 of the rest.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import InputError
from .network import Network, Parameters
from .statistics import Statistics

FOLDER = "profiles"
SUFFIX = ".profile"
IN_USE = "in-use"
FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_DIGEST_BYTES = 65


@dataclass(frozen=True, eq=False)
class Profile:
    """What an accelerator has been adapted to.

    Parameters
    ----------
    build_id
        Of the accelerator.
    images
        Number of pictures.
    statistics, parameters
        As the hardware holds them.
    scores
        Before and after, by name.
    """

    build_id: int
    images: int
    statistics: Statistics
    parameters: Parameters
    scores: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        arrays: dict[str, Any] = {}
        for number, name in enumerate(self.statistics):
            parts = (*self.statistics[name], *self.parameters[name])
            keys = ("mean", "variance", "multiplier", "offset")
            arrays |= {f"{number}_{key}": value for key, value in zip(keys, parts, strict=True)}
        header = {
            "format": FORMAT,
            "build_id": f"{self.build_id:08x}",
            "images": self.images,
            "names": list(self.statistics),
            "scores": self.scores,
        }
        buffer = io.BytesIO()
        arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
        np.savez(buffer, **arrays)
        content = buffer.getvalue()
        return f"{hashlib.sha256(content).hexdigest()}\n".encode() + content

    @classmethod
    def from_bytes(cls, data: bytes) -> Profile:
        """Read a file's content.

        Raises
        ------
        ValueError
            It is damaged.
        """
        digest, content = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if digest != f"{hashlib.sha256(content).hexdigest()}\n".encode():
            raise ValueError("its checksum does not fit its content")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays["header"].tobytes())
        if header["format"] != FORMAT:
            raise ValueError(f"format {header['format']}")
        names = header["names"]
        statistics = {name: (arrays[f"{i}_mean"], arrays[f"{i}_variance"]) for i, name in enumerate(names)}
        parameters = {name: (arrays[f"{i}_multiplier"], arrays[f"{i}_offset"]) for i, name in enumerate(names)}
        return cls(int(header["build_id"], 16), int(header["images"]), statistics, parameters, header["scores"])


class Profiles:
    """The profiles of a package.

    Parameters
    ----------
    folder
        The package's.
    build_id
        Of its accelerator.
    """

    def __init__(self, folder: Path, build_id: int) -> None:
        self._folder, self._build_id = Path(folder) / FOLDER, build_id

    def names(self) -> list[str]:
        """Return the names of all profiles, in order."""
        return sorted(path.stem for path in self._folder.glob(f"*{SUFFIX}"))

    @property
    def in_use(self) -> str | None:
        """Name of the profile in use; None where the built-in parameters are."""
        try:
            return checked_name((self._folder / IN_USE).read_text(encoding="utf-8").strip())
        except FileNotFoundError:
            return None

    def load(self, name: str, network: Network) -> Profile:
        """Read a profile.

        Raises
        ------
        InputError
            There is none of this name, it is damaged, or of another accelerator.
        """
        path = self._folder / f"{checked_name(name)}{SUFFIX}"
        try:
            profile = Profile.from_bytes(path.read_bytes())
        except FileNotFoundError:
            known = ", ".join(self.names()) or "none"
            raise InputError(f"there is no profile {name}; there are: {known}") from None
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise InputError(f"profile {name} is damaged ({error}); adapt again and save it anew") from None
        if profile.build_id != self._build_id:
            raise InputError(
                f"profile {name} belongs to build {profile.build_id:08x}, not to this one, {self._build_id:08x}; "
                "adapt again"
            )
        _check_fit(name, profile, network)
        return profile

    def save(self, name: str, profile: Profile) -> Path:
        """Write a profile, in one step."""
        path = self._folder / f"{checked_name(name)}{SUFFIX}"
        write_at_once(path, profile.to_bytes())
        return path

    def use(self, name: str | None) -> None:
        """Note which profile is in use from now on; None: the built-in parameters."""
        path = self._folder / IN_USE
        if name is None:
            path.unlink(missing_ok=True)
            if self._folder.is_dir():
                _sync_folder(self._folder)
        else:
            write_at_once(path, f"{checked_name(name)}\n".encode())


def checked_name(name: str) -> str:
    """Return the name of a profile, without its suffix.

    Raises
    ------
    InputError
        It is no name.
    """
    stem = name.removesuffix(SUFFIX)
    if not _NAME.fullmatch(stem):
        raise InputError(f"a profile's name has 1 to 64 letters, digits, - and _, not {name!r}")
    return stem


def write_at_once(path: Path, content: bytes) -> None:
    """Put a file in its place in one step, on the disk when this returns.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_fit(name: str, profile: Profile, network: Network) -> None:
    """Refuse parameters that the hardware could not hold, whatever the file says."""
    shapes: Mapping[str, tuple[int, ...]] = {key: node.rows.shape for key, node in network.writable.items()}
    fits = list(profile.parameters) == list(shapes)
    for key, node in network.writable.items():
        if not fits:
            break
        multiplier, offset = profile.parameters[key]
        half = 1 << (node.arithmetic.offset_bits - 1)
        fits = (
            multiplier.shape == offset.shape == shapes[key]
            and multiplier.dtype == offset.dtype == np.int64
            and bool(np.all((multiplier >= 0) & (multiplier < 1 << node.arithmetic.multiplier_bits)))
            and bool(np.all((offset >= -half) & (offset < half)))
            and all(part.shape == node.normalisation.mean.shape for part in profile.statistics[key])
        )
    if not fits:
        raise InputError(f"profile {name} does not fit this accelerator; adapt again")
