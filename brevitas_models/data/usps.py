"""USPS handwritten digits, 16 x 16, grey, in the four shapes in which they are passed around.

- `usps_resampled.mat`: `{train,test}_patterns` [256, N] in [-1, 1], `{train,test}_labels` [10, N] of -1 and one +1; all
  9298 digits, shuffled, split 4649/4649. Source: Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006.
- `zip.train`, `zip.test` (plain or .gz): text, a label and 256 values in [-1, 1] per line; the classic split 7291/2007.
  Source: Hastie, Tibshirani & Friedman, "The Elements of Statistical Learning".
- `usps`, `usps.t` (plain or .bz2): the same split in LIBSVM's text, `label 1:value ... 256:value`, labels 1 to 10 for
  the digits 0 to 9; a value that is not written is 0, the grey in the middle.
- `usps.h5`: the same split in HDF5, groups `train` and `test` with `data` [N, 256] in [0, 1] and `target` [N].

Values in [-1, 1] become codes by `round((value + 1) * 127.5)`, those in [0, 1] by `round(value * 255)`, half to even.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from brevitas_models.data.image_set import ImageSet
from brevitas_models.data.reading import find_one, read_bytes, read_h5, read_mat
from finn_flow.errors import UserError

SIDE = 16
MAT_NAME = "usps_resampled.mat"
H5_NAME = "usps.h5"

_PIXELS = SIDE * SIDE
_ZIP_NAMES = {"train": "zip.train", "test": "zip.test"}
_LIBSVM_NAMES = {"train": "usps", "test": "usps.t"}
_SUFFIXES = ("", ".gz", ".bz2")


def read_usps(folder: Path, split: str) -> ImageSet:
    """Return the `split` ("train" or "test") of the USPS files in `folder`, whichever of the four shapes it holds.

    Raises
    ------
    UserError
        No such file, or one that is damaged or not as described.
    """
    folder = Path(folder)
    if (folder / MAT_NAME).is_file():
        path = folder / MAT_NAME
        values, labels = _read_patterns(path, split)
    elif (folder / H5_NAME).is_file():
        path = folder / H5_NAME
        values, labels = _read_h5(path, split)
    else:
        path = find_one(folder, (MAT_NAME, H5_NAME, _ZIP_NAMES[split], _LIBSVM_NAMES[split]), _SUFFIXES)
        values, labels = _read_text(path)
    if len(labels) == 0:
        raise UserError(f"{path}: holds no images")
    if not np.isfinite(values).all() or np.abs(values).max() > 1:
        raise UserError(f"{path}: pixel values must be within {'0' if path.name == H5_NAME else '-1'}..1")
    if labels.min() < 0 or labels.max() > 9:
        raise UserError(f"{path}: labels must stand for the digits 0..9")
    codes = np.rint((values + 1) * 127.5).astype(np.uint8)
    return ImageSet(codes.reshape(-1, SIDE, SIDE, 1), labels, tuple("0123456789"))


def _read_patterns(path: Path, split: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    keys = (f"{split}_patterns", f"{split}_labels")
    patterns, labels = (read_mat(path, keys)[key] for key in keys)
    count = patterns.shape[1] if patterns.ndim == 2 else 0
    if patterns.shape != (_PIXELS, count) or labels.shape != (10, count) or count == 0:
        raise UserError(
            f"{path}: `{keys[0]}` must be [256, N] and `{keys[1]}` [10, N], "
            f"not {list(patterns.shape)} and {list(labels.shape)}"
        )
    if not ((labels == 1).sum(axis=0) == 1).all():
        raise UserError(f"{path}: every column of `{keys[1]}` must hold exactly one 1")
    return patterns.T.astype(np.float64), labels.argmax(axis=0).astype(np.int64)


def _read_h5(path: Path, split: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Values brought to [-1, 1], and labels."""
    values, labels = read_h5(path, (f"{split}/data", f"{split}/target"))
    if values.ndim != 2 or values.shape[1:] != (_PIXELS,) or labels.shape != values.shape[:1]:
        raise UserError(
            f"{path}: `{split}/data` must be [N, 256] and `{split}/target` [N], "
            f"not {list(values.shape)} and {list(labels.shape)}"
        )
    return values.astype(np.float64) * 2 - 1, labels.astype(np.int64)


def _read_text(path: Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    libsvm = path.name.startswith("usps")
    rows = [line.split() for line in read_bytes(path).decode("ascii", "replace").splitlines() if line.strip()]
    values = np.zeros((len(rows), _PIXELS))
    labels = np.empty(len(rows), np.int64)
    for number, row in enumerate(rows):
        try:
            labels[number] = _whole(row[0]) - (1 if libsvm else 0)
            if libsvm:
                for item in row[1:]:
                    position, value = item.split(":")
                    values[number, _position(position)] = float(value)
            else:
                values[number] = [float(value) for value in row[1:]]
        except ValueError as error:
            shape = "`label 1:value ...`" if libsvm else "a label and 256 values"
            raise UserError(f"{path}, line {number + 1}: must be {shape} ({error})") from error
    return values, labels


def _whole(text: str) -> int:
    value = float(text)
    if not value.is_integer():
        raise ValueError(f"label {text} is not a whole number")
    return int(value)


def _position(text: str) -> int:
    position = int(text)
    if not 1 <= position <= _PIXELS:
        raise ValueError(f"position {position} is not within 1..{_PIXELS}")
    return position - 1
