"""Reading images from files, folders and archives; nothing is unpickled and no archive is unpacked to the disk."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from .arrays import read_arrays
from .errors import InputError
from .files import Memory, one_line, printable, read_archive, read_regular
from .picture_modes import to_uint8
from .preprocessing import Preprocessing, Uint8Array

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
"""What a picture may be, whatever its name says: Pillow's other formats run other programs (EPS) or hardly anybody."""
_CHANNELS = 3


@dataclass(frozen=True)
class NamedImages:
    """Images with their names, and with their classes where these are known.

    Parameters
    ----------
    names
        One per image.
    images
        uint8 [h, w] or [h, w, 3] each; sizes may differ.
    labels
        Class numbers, or None.
    """

    names: list[str]
    images: list[Uint8Array]
    labels: list[int] | None = None


def read_images(paths: list[Path], preprocessing: Preprocessing | None = None) -> NamedImages:
    """Read image files, folders of them (all levels, sorted), `.zip` archives of them, and `.npy` or `.npz` arrays.

    Parameters
    ----------
    preprocessing
        Applied to each picture at once, so that any number of large ones fits into memory.

    Raises
    ------
    InputError
        Something is missing, empty, damaged, too large, no regular file or no image.
    """
    reader = _Reader(preprocessing)
    names: list[str] = []
    images: list[Uint8Array] = []
    for path in paths:
        found = 0
        for name, image in reader.read(path):
            names.append(name)
            images.append(image)
            found += 1
        if not found:
            raise InputError(f"{printable(str(path))} holds no images (files named {', '.join(sorted(SUFFIXES))})")
    return NamedImages(names, images)


def read_labelled(path: Path, class_names: tuple[str, ...], preprocessing: Preprocessing | None = None) -> NamedImages:
    """Read an `.npz` with `images` and `labels`, or a folder with one folder of images per class.

    Parameters
    ----------
    preprocessing
        As for `read_images`.

    Raises
    ------
    InputError
        As `read_images`; or a folder is no class, or labels and images do not match.
    """
    name = printable(str(path))
    if path.suffix == ".npz":
        return _read_labelled_arrays(path, len(class_names))
    if not _is_folder(path):
        raise InputError(f"{name} must be an .npz file or a folder with one folder per class")
    names: list[str] = []
    found: list[Uint8Array] = []
    classes: list[int] = []
    for folder in sorted(entry for entry in path.iterdir() if entry.is_dir()):
        if folder.name not in class_names:
            raise InputError(
                f"{printable(str(folder))}: no class of this network; the classes are {', '.join(class_names)}"
            )
        part = read_images([folder], preprocessing)
        names += part.names
        found += part.images
        classes += [class_names.index(folder.name)] * len(part.images)
    if not found:
        raise InputError(f"{name} holds no folder of images")
    return NamedImages(names, found, classes)


def _read_labelled_arrays(path: Path, classes: int) -> NamedImages:
    name = printable(str(path))
    arrays = read_arrays(path, Memory())
    if not {"images", "labels"} <= set(arrays):
        found = ", ".join(map(printable, sorted(arrays))) or "none"
        raise InputError(f"{name} must hold the arrays `images` and `labels`, not {found}")
    images, labels = arrays["images"], arrays["labels"]
    if labels.dtype.kind not in "iu" or labels.ndim != 1 or labels.shape != images.shape[:1]:
        raise InputError(
            f"{name}: `labels` must be one whole number per image, not {labels.dtype} {list(labels.shape)}"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise InputError(f"{name}: `labels` must be 0 to {classes - 1}, not {labels.min()} to {labels.max()}")
    check_images(images)
    return NamedImages([f"{name}[{number}]" for number in range(len(images))], list(images), labels.tolist())


def is_picture_name(path: PurePath) -> bool:
    """Whether a file, by its path inside a folder or archive, is a picture and not one of macOS's `._x.jpg`."""
    hidden = any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def read_picture(path: Path) -> Uint8Array:
    """One picture file as uint8 [h, w] (grey) or [h, w, 3], by the rules of `to_uint8`.

    Raises
    ------
    InputError
        It is missing, damaged, no picture, or suspiciously large.
    """
    return _Reader().decode(printable(str(path)), read_regular(path))


def decode_picture(name: str, content: bytes, preprocessing: Preprocessing | None = None) -> Uint8Array:
    """One picture from the bytes of its file, as `read_picture`; `name` is what messages call it."""
    return _Reader(preprocessing).decode(name, content)


def check_images(images: Any) -> None:
    """Refuse what are no images, with a message that says why.

    Raises
    ------
    InputError
        Not uint8, wrong number of dimensions, none at all.
    """
    if isinstance(images, np.ndarray):
        if images.dtype != np.uint8:
            nan = " and contain NaN" if images.dtype.kind == "f" and np.isnan(images).any() else ""
            raise InputError(f"images must be uint8 (0 to 255), but they are {images.dtype}{nan}")
        if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] not in (1, 3)):
            raise InputError(
                f"images must have shape [N, h, w], [N, h, w, 1] or [N, h, w, 3], not {list(images.shape)}"
            )
    elif not isinstance(images, (list, tuple)):
        raise InputError(f"images must be an array or a list of arrays, not {type(images).__name__}")
    if len(images) == 0:
        raise InputError("there are no images")
    if isinstance(images, np.ndarray):
        return
    for number, image in enumerate(images):
        if not isinstance(image, np.ndarray) or image.ndim not in (2, 3):
            raise InputError(f"image {number} must be an array of shape [h, w], [h, w, 1] or [h, w, 3]")
        try:
            check_images(image[np.newaxis])
        except InputError as error:
            raise InputError(f"image {number}: {error}") from None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # a name that is too long
        raise InputError(f"{printable(str(path))} cannot be read: {error.strerror}") from None


class _Reader:
    """Reads for one call.

    Parameters
    ----------
    preprocessing
        Applied to each picture at once.
    """

    def __init__(self, preprocessing: Preprocessing | None = None) -> None:
        self._memory = Memory()
        self._preprocessing = preprocessing

    def read(self, path: Path) -> Iterator[tuple[str, Uint8Array]]:
        """Give the images of one file, folder or archive, with their names."""
        name = printable(str(path))
        if _is_folder(path):
            for file in sorted(path.rglob("*")):
                if is_picture_name(file.relative_to(path)) and not file.is_dir():
                    inside = printable(str(file))
                    yield inside, self.decode(inside, read_regular(file))
        elif path.suffix == ".zip":
            for entry, content in read_archive(path, lambda entry: is_picture_name(PurePosixPath(entry))):
                inside = f"{name}:{printable(entry)}"
                yield inside, self.decode(inside, content)
        elif path.suffix in (".npy", ".npz"):
            for number, image in enumerate(self._array(path)):
                yield f"{name}[{number}]", image
        else:
            yield name, self.decode(name, read_regular(path))

    def decode(self, name: str, content: bytes) -> Uint8Array:
        """Return the pixels as `to_uint8` gives them, preprocessed."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the size is looked at here, before there is anything to decode
                with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                    size_bytes = _CHANNELS * picture.width * picture.height
                    self._memory.take(name, size_bytes)
                    pixels = to_uint8(picture)
            if self._preprocessing is not None:
                pixels = self._preprocessing.apply([pixels])[0]
                self._memory.give_back(size_bytes - pixels.nbytes)
            return pixels
        except InputError:
            raise
        except UnidentifiedImageError:
            raise InputError(f"{name} is no image of a known format ({', '.join(FORMATS)})") from None
        except Exception as error:  # Pillow's decoders raise whatever they stumble over in a damaged file
            raise InputError(f"{name} cannot be read as an image: {one_line(error)}") from None

    def _array(self, path: Path) -> Uint8Array:
        name = printable(str(path))
        arrays = read_arrays(path, self._memory)
        array = arrays.get("images", next(iter(arrays.values()), None))
        if array is None:
            raise InputError(f"{name} holds no array")
        images = array if array.ndim in (3, 4) else array[np.newaxis]
        try:
            check_images(images)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        return images
