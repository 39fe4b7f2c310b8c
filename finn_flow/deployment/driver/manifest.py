"""The package that this driver belongs to: `manifest.json` and the files that it names."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .files import inner_name
from .packing import StreamFormat
from .preprocessing import Preprocessing

FILE = "manifest.json"
FORMAT = 2
BITFILE = "bitfile/finn-accel.bit"
SAMPLES = "samples/expected.json"


@dataclass(frozen=True)
class ValueForm:
    """What integers stand for: value = integer · scale + offset, one number each, or one per channel (last axis)."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ValueForm:
        """Read what the manifest says."""
        return cls(*(tuple(float(number) for number in value[key]) for key in ("scale", "offset")))

    def values(self, integers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the values of integers [..., channels]."""
        return np.asarray(integers * np.array(self.scale) + np.array(self.offset))


@dataclass(frozen=True)
class Manifest:
    """What the driver needs to know of a package.

    Parameters
    ----------
    folder
        The package's folder.
    build_id
        32-bit number that the hardware answers with; never 0.
    preprocessing
        From any image to the network's input.
    class_names
        One per class; () if the network gives values.
    values
        Scale and offset of the output's integers, of each or of all, if the network gives values.
    input, output
        How tensors lie in memory; the output holds the best classes of a frame, best first, or integers.
    clock_mhz
        Of the programmable logic.
    cycles_per_frame
        Expected in steady state.
    sample_accuracy
        Of the samples with a known class, 0 to 1; None where none is known.
    accuracy
        Of the trained network on its test set, 0 to 1; None where it is not known.
    files
        sha256 by path relative to `folder`.
    parameters
        Instance whose registers write the accelerator's parameters; None if these are fixed.
    """

    folder: Path
    build_id: int
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    values: ValueForm | None
    input: StreamFormat
    output: StreamFormat
    clock_mhz: float
    cycles_per_frame: float
    sample_accuracy: float | None
    accuracy: float | None
    files: dict[str, str]
    parameters: str | None = None

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the package in `folder`.

        Raises
        ------
        InputError
            There is none, or its manifest is damaged.
        """
        path = Path(folder) / FILE
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"{folder} is no deployment package: {FILE} is missing; copy the whole folder") from None
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{path} cannot be read ({error}); copy the package again") from None
        try:
            if value["format"] != FORMAT:
                raise ValueError(f"format {value['format']}")
            return cls._from_json(Path(folder), value)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise InputError(f"{path} is damaged or of another version ({error!r}); copy the package again") from None

    @classmethod
    def _from_json(cls, folder: Path, value: dict[str, Any]) -> Manifest:
        expected = value["expected"]
        return cls(
            folder=folder,
            build_id=int(value["build_id"], 16),
            preprocessing=Preprocessing.from_json(value["preprocessing"]),
            class_names=tuple(_text(name) for name in value["class_names"]),
            values=None if value["values"] is None else ValueForm.from_json(value["values"]),
            input=StreamFormat.from_json(value["input"]),
            output=StreamFormat.from_json(value["output"]),
            clock_mhz=_positive(value["clock_mhz"]),
            cycles_per_frame=_positive(expected["cycles_per_frame"]),
            sample_accuracy=_share(expected["sample_accuracy"]),
            accuracy=_share(expected["accuracy"]),
            parameters=_instance(value.get("parameters")),
            files={inner_name(name): str(digest) for name, digest in value["files"].items()},
        )

    @property
    def seconds_per_frame(self) -> float:
        """Expected time between two results in steady state."""
        return self.cycles_per_frame / self.clock_mhz * 1e-6

    def check_files(self) -> int:
        """Compare every file with its checksum and return how many there are.

        Raises
        ------
        InputError
            A file is missing or has changed.
        """
        for name, expected in self.files.items():
            path = self.folder / name
            if not path.is_file():
                raise InputError(f"{path} is missing; copy the package again")
            if sha256(path) != expected:
                raise InputError(f"{path} has changed since the package was made; copy the package again")
        return len(self.files)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _instance(value: Any) -> str | None:
    return None if value is None else _text(value["instance"])


def _positive(value: Any) -> float:
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError(f"{value!r} is no positive number")
    return number


def _share(value: Any) -> float | None:
    if value is not None and not 0 <= float(value) <= 1:
        raise ValueError(f"{value!r} is no share between 0 and 1")
    return None if value is None else float(value)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
