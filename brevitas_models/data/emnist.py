"""EMNIST's six splits, as distributed: `emnist-<name>-{train,test}-{images-idx3,labels-idx1}-ubyte`, plain or gzip.

Its images are stored column by column, so that read as MNIST's they lie on their side, and the labels of `letters`
count from 1. Here they stand upright and count from 0.

Source: Cohen et al., "EMNIST: an extension of MNIST to handwritten letters", 2017; the mapping files beside the data.
"""

import string
from pathlib import Path

import numpy as np

from brevitas_models.data.idx import read_idx_pair
from brevitas_models.data.image_set import ImageSet
from brevitas_models.data.reading import find_one

_DIGITS, _CAPITALS = string.digits, string.ascii_uppercase
_MERGED = _DIGITS + _CAPITALS + "abdefghnqrt"
"""Small letters that look like their capitals share a class with these."""

EMNIST_CLASSES = {
    "balanced": _MERGED,
    "byclass": _DIGITS + _CAPITALS + string.ascii_lowercase,
    "bymerge": _MERGED,
    "digits": _DIGITS,
    "letters": _CAPITALS,
    "mnist": _DIGITS,
}
"""Split of EMNIST -> its classes, one character each; a capital in `letters` stands for the small letter too."""


def read_emnist(folder: Path, split: str, name: str) -> ImageSet:
    """Return the images of one of EMNIST's splits, upright.

    Parameters
    ----------
    folder
        Holds the files.
    split
        "train" or "test".
    name
        One of `EMNIST_CLASSES`.

    Raises
    ------
    UserError
        A file is missing, damaged, or holds a label that the split does not have.
    """
    prefix = f"emnist-{name}-{split}"
    paths = [find_one(folder, (f"{prefix}-{kind}-ubyte",)) for kind in ("images-idx3", "labels-idx1")]
    classes = tuple(EMNIST_CLASSES[name])
    first = 1 if name == "letters" else 0
    images = read_idx_pair(paths[0], paths[1], classes, first)
    return ImageSet(np.ascontiguousarray(images.images.transpose(0, 2, 1, 3)), images.labels, classes)
