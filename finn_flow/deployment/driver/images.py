"""Reading images from files, folders and archives; nothing is unpickled and no archive is unpacked to the disk."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from .errors import InputError
from .picture_modes import to_uint8
from .preprocessing import Uint8Array

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
MOST_ARCHIVE_BYTES = 1 << 30
"""Largest unpacked size of an archive that is read."""


@dataclass(frozen=True)
class NamedImages:
    """Images with their names, and with their classes where these are known.

    Parameters:
        names: one per image.
        images: uint8 [h, w] or [h, w, 3] each; sizes may differ.
        labels: class numbers, or None.
    """

    names: list[str]
    images: list[Uint8Array]
    labels: list[int] | None = None


def read_images(paths: list[Path]) -> NamedImages:
    """Read image files, folders of them (all levels, sorted), `.zip` archives of them, and `.npy` or `.npz` arrays.

    Raises:
        InputError: something is missing, empty, damaged or no image.
    """
    names: list[str] = []
    images: list[Uint8Array] = []
    for path in paths:
        found = 0
        for name, image in _read(path):
            names.append(name)
            images.append(image)
            found += 1
        if not found:
            raise InputError(f"{path} holds no images (files named {', '.join(sorted(SUFFIXES))})")
    return NamedImages(names, images)


def read_labelled(path: Path, class_names: tuple[str, ...]) -> NamedImages:
    """Read an `.npz` with `images` and `labels`, or a folder with one folder of images per class.

    Raises:
        InputError: as `read_images`; or a folder is no class, or labels and images do not match.
    """
    if path.suffix == ".npz":
        arrays = _arrays(path)
        if not {"images", "labels"} <= set(arrays):
            raise InputError(
                f"{path} must hold the arrays `images` and `labels`, not {', '.join(sorted(arrays)) or 'none'}"
            )
        images, labels = arrays["images"], arrays["labels"]
        if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1] or not len(labels):
            raise InputError(
                f"{path}: `labels` must be one whole number per image, not {labels.dtype} {list(labels.shape)}"
            )
        return NamedImages([f"{path}[{number}]" for number in range(len(images))], list(images), labels.tolist())
    if not path.is_dir():
        raise InputError(f"{path} must be an .npz file or a folder with one folder per class")
    names: list[str] = []
    found: list[Uint8Array] = []
    classes: list[int] = []
    for folder in sorted(entry for entry in path.iterdir() if entry.is_dir()):
        if folder.name not in class_names:
            raise InputError(f"{folder}: no class of this network; the classes are {', '.join(class_names)}")
        part = read_images([folder])
        names += part.names
        found += part.images
        classes += [class_names.index(folder.name)] * len(part.images)
    if not found:
        raise InputError(f"{path} holds no folder of images")
    return NamedImages(names, found, classes)


def is_picture_name(path: PurePath) -> bool:
    """Whether a file, by its path inside a folder or archive, is a picture and not one of macOS's `._x.jpg`."""
    hidden = any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def read_picture(path: Path) -> Uint8Array:
    """One picture file as uint8 [h, w] (grey) or [h, w, 3], by the rules of `to_uint8`.

    Raises:
        InputError: it is missing, damaged, no picture, or suspiciously large.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return _decode(str(path), path.read_bytes())


def check_images(images: Any) -> None:
    """Refuse what are no images, with a message that says why.

    Raises:
        InputError: not uint8, wrong number of dimensions, none at all.
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


def _read(path: Path) -> Iterator[tuple[str, Uint8Array]]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if is_picture_name(file.relative_to(path)) and file.is_file():
                yield str(file), _decode(str(file), file.read_bytes())
    elif not path.exists():
        raise InputError(f"{path}: no such file or folder")
    elif path.suffix == ".zip":
        yield from _read_archive(path)
    elif path.suffix in (".npy", ".npz"):
        arrays = _arrays(path)
        array = arrays.get("images", next(iter(arrays.values()), None))
        if array is None:
            raise InputError(f"{path} holds no array")
        for number, image in enumerate(array if array.ndim in (3, 4) else array[np.newaxis]):
            yield f"{path}[{number}]", image
    else:
        yield str(path), _decode(str(path), path.read_bytes())


def _read_archive(path: Path) -> Iterator[tuple[str, Uint8Array]]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if is_picture_name(PurePosixPath(entry.filename))]
            size = sum(entry.file_size for entry in entries)
            if size > MOST_ARCHIVE_BYTES:
                raise InputError(
                    f"{path} unpacks to {size:,} bytes, more than {MOST_ARCHIVE_BYTES:,}; unpack it yourself"
                )
            for entry in sorted(entries, key=lambda entry: entry.filename):
                name = f"{path}:{entry.filename}"
                yield name, _decode(name, archive.read(entry))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise InputError(f"{path} cannot be read as an archive: {error}") from None


def _arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"images": loaded}
        with loaded:
            size = sum(info.file_size for info in loaded.zip.infolist())
            if size > MOST_ARCHIVE_BYTES:
                raise InputError(f"{path} unpacks to {size:,} bytes, more than {MOST_ARCHIVE_BYTES:,}")
            return {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def _decode(name: str, content: bytes) -> Uint8Array:
    """The pixels as `to_uint8` gives them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as picture:
                return to_uint8(picture)
    except UnidentifiedImageError:
        raise InputError(f"{name} is no image") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{name} cannot be read as an image: {error}") from None
