"""The IDX format of MNIST and its relatives, plain or gzip.

Source: the "FILE FORMATS FOR THE MNIST DATABASE" section of Y. LeCun's MNIST page: two zero bytes, a type byte, the
number of dimensions, each dimension as a big-endian 32-bit number, then the values in C order.
"""

import struct
from pathlib import Path

import numpy as np

from brevitas_models.data.image_set import ImageSet, digit_names
from brevitas_models.data.reading import find_one, read_bytes
from finn_flow.deployment.driver.preprocessing import Uint8Array
from finn_flow.errors import UserError

_UNSIGNED_BYTE = 0x08
_PREFIX = {"train": "train", "test": "t10k"}


def read_idx(path: Path, dimensions: int) -> Uint8Array:
    """One IDX file of unsigned bytes with that many dimensions.

    Raises
    ------
    UserError
        It is not such a file, is truncated, or has bytes left over.
    """
    content = read_bytes(path)
    magic = bytes((0, 0, _UNSIGNED_BYTE, dimensions))
    if content[:4] != magic:
        found = content[:4].hex(" ") or "an empty file"
        raise UserError(
            f"{path}: must be an IDX file of unsigned bytes with {dimensions} dimensions, "
            f"starting with {magic.hex(' ')}, not {found}"
        )
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise UserError(f"{path}: truncated inside its header ({len(content)} of {header} bytes); get it again")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    announced = int(np.prod(shape, dtype=object))
    found_bytes = len(content) - header
    if found_bytes != announced:
        problem = "truncated" if found_bytes < announced else "too long"
        size = " x ".join(map(str, shape))
        raise UserError(f"{path}: {problem}: its header announces {size} bytes, {found_bytes} follow; get it again")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def read_idx_pair(
    images_path: Path, labels_path: Path, class_names: tuple[str, ...] | None = None, first_label: int = 0
) -> ImageSet:
    """Images (3 dimensions) and labels (1 dimension) of two IDX files.

    Parameters
    ----------
    class_names
        Names of the classes; "0", "1", ... when None.
    first_label
        What stands for the first class in the file.

    Returns
    -------
    ImageSet
        An `ImageSet` with one channel.

    Raises
    ------
    UserError
        As `read_idx`; or counts differ, there is no image, or a label has no class name.
    """
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1).astype(np.int64)
    if len(images) != len(labels):
        raise UserError(f"{images_path} holds {len(images)} images but {labels_path} {len(labels)} labels")
    if images.size == 0:
        raise UserError(f"{images_path}: holds no images")
    names = digit_names(labels) if class_names is None else class_names
    last_label = first_label + len(names) - 1
    if not first_label <= labels.min() <= labels.max() <= last_label:
        wrong = labels.max() if labels.max() > last_label else labels.min()
        raise UserError(f"{labels_path}: labels must be {first_label}..{last_label}, not {wrong}")
    return ImageSet(images[..., np.newaxis], labels - first_label, names)


def read_mnist(folder: Path, split: str, class_names: tuple[str, ...] | None = None) -> ImageSet:
    """Return the `split` ("train" or "test") of a folder with MNIST's four files, plain or gzip."""
    prefix = _PREFIX[split]
    images = find_one(folder, (f"{prefix}-images-idx3-ubyte", f"{prefix}-images.idx3-ubyte"))
    labels = find_one(folder, (f"{prefix}-labels-idx1-ubyte", f"{prefix}-labels.idx1-ubyte"))
    return read_idx_pair(images, labels, class_names)
