"""SVHN, cropped digits, as distributed: `train_32x32.mat`, `test_32x32.mat`.

Source: Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", 2011.
"""

from pathlib import Path

import numpy as np

from brevitas_models.data.image_set import ImageSet
from brevitas_models.data.reading import read_mat
from finn_flow.errors import UserError


def read_svhn(path: Path, split: str) -> ImageSet:
    """Return the `split` ("train", "test") of SVHN; SVHN's label 10 stands for the digit 0 and becomes 0.

    Parameters
    ----------
    path
        The folder with `{split}_32x32.mat`, or such a file itself.

    Raises
    ------
    UserError
        The file is missing or damaged, or its variables `X` [H, W, 3, N] uint8 and `y` [N, 1] are not so.
    """
    path = Path(path)
    if path.is_dir():
        path = path / f"{split}_32x32.mat"
    content = read_mat(path, ("X", "y"))
    images, labels = content["X"], np.ravel(content["y"])
    if images.ndim == 3:  # MATLAB drops the last dimension when it is 1.
        images = images[..., np.newaxis]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[2] != 3:
        raise UserError(f"{path}: `X` must be uint8 [height, width, 3, N], not {images.dtype} {list(images.shape)}")
    if images.shape[3] != len(labels):
        raise UserError(f"{path}: `X` holds {images.shape[3]} images but `y` {len(labels)} labels")
    if len(labels) == 0 or labels.dtype.kind not in "iuf" or not np.isin(labels, np.arange(11)).all():
        raise UserError(f"{path}: `y` must hold labels 1..10 (10 stands for the digit 0)")
    digits = labels.astype(np.int64) % 10
    return ImageSet(np.ascontiguousarray(np.moveaxis(images, 3, 0)), digits, tuple("0123456789"))
