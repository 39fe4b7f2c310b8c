"""One function that loads any data set by name, from the cache or from a user's own files."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from brevitas_models.data.emnist import EMNIST_CLASSES, read_emnist
from brevitas_models.data.fetching import fetched_dir
from brevitas_models.data.idx import read_mnist
from brevitas_models.data.image_set import ImageSet
from brevitas_models.data.image_tree import read_image_tree
from brevitas_models.data.mnist_m import blend_digits, sample_photos
from brevitas_models.data.svhn import read_svhn
from brevitas_models.data.usps import read_usps
from finn_flow.deployment.driver.preprocessing import Preprocessing
from finn_flow.errors import UserError

SPLITS = ("train", "test")
FASHION_NAMES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def _read_fashion(folder: Path, split: str) -> ImageSet:
    return read_mnist(folder, split, FASHION_NAMES)


def _read_mnist_m(folder: Path, split: str) -> ImageSet:
    return blend_digits(read_mnist(folder, split), sample_photos(), seed=SPLITS.index(split))


# Data set -> its reader (folder, split) and the fetched data set it is read from (None: the user's own files only).
_READERS: dict[str, tuple[Callable[[Path, str], ImageSet], str | None]] = {
    "mnist": (read_mnist, "mnist"),
    "usps": (read_usps, "usps"),
    "fashion-mnist": (_read_fashion, "fashion-mnist"),
    "mnist-m": (_read_mnist_m, "mnist"),
    "svhn": (read_svhn, None),
    **{f"emnist-{name}": (partial(read_emnist, name=name), None) for name in EMNIST_CLASSES},
}
IMAGE_TREE = "image-tree"
DATASETS = (*_READERS, IMAGE_TREE)


def load_images(
    dataset: str, split: str, preprocessing: Preprocessing | None = None, path: Path | None = None
) -> ImageSet:
    """Load one split of a data set.

    Parameters
    ----------
    dataset
        One of `DATASETS`. "mnist", "usps", "fashion-mnist" and "mnist-m" (made from MNIST) come from the cache, or from
        a user's own copy of their files in `path`; "svhn", "emnist-..." and "image-tree" (one domain's folder) always
        from `path`.
    split
        "train" or "test"; for "image-tree" also "all".
    preprocessing
        Applied to every image; None leaves them as they are ("image-tree" needs one).
    path
        The folder with the user's own files; None takes the cache.

    Raises
    ------
    UserError
        An unknown name or split, a missing `path`, files that are missing or not as they should be.
    ValueError
        "image-tree" without `preprocessing`.
    """
    if dataset not in DATASETS:
        raise UserError(f"`dataset` must be one of {', '.join(DATASETS)}, not {dataset!r}")
    splits = (*SPLITS, "all") if dataset == IMAGE_TREE else SPLITS
    if split not in splits:
        raise UserError(f"`split` of {dataset} must be one of {', '.join(splits)}, not {split!r}")
    if dataset == IMAGE_TREE:
        if path is None:
            raise UserError(f"{IMAGE_TREE} needs `path`, the folder of one domain whose folders are the classes")
        if preprocessing is None:
            raise ValueError(f"`preprocessing` must be given for {IMAGE_TREE}, whose pictures differ in size")
        return read_image_tree(path, split, preprocessing)
    read, fetched = _READERS[dataset]
    if path is None:
        if fetched is None:
            raise UserError(f"{dataset} cannot be fetched: give the folder of your own copy as `path`")
        path = fetched_dir(fetched)
    images = read(Path(path), split)
    return images if preprocessing is None else images.preprocessed(preprocessing)
