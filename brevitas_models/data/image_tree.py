"""Folders of pictures as in Office-31: `root/domain/class/*.jpg` (or any other format that the board's driver reads).

Source of the layout: Saenko et al., "Adapting Visual Category Models to New Domains", ECCV 2010.
"""

from pathlib import Path

import numpy as np

from brevitas_models.data.image_set import ImageSet
from finn_flow.deployment.driver.errors import InputError
from finn_flow.deployment.driver.images import SUFFIXES, is_picture_name, read_picture
from finn_flow.deployment.driver.preprocessing import Preprocessing, Uint8Array
from finn_flow.errors import UserError

TEST_EVERY = 5


def list_domains(root: Path) -> list[str]:
    """Return the names of the domains (folders) of a tree, sorted.

    Raises
    ------
    UserError
        There is no such folder, or it holds no folder.
    """
    return [folder.name for folder in _folders(Path(root), "domain")]


def read_image_tree(folder: Path, split: str, preprocessing: Preprocessing) -> ImageSet:
    """One domain's pictures, read as the board's driver reads them, each brought to one size at once.

    The classes are numbered in the sorted order of their folders. The pictures come in turns, the first of every class,
    then the second of every class and so on, so that the first N of the set show all classes.

    Parameters
    ----------
    folder
        The domain, e.g. `office31/amazon`; its folders are the classes. Where every class folder holds nothing but a
        folder `images`, as some copies of Office-31 have it (`amazon/images/<class>`), give that one.
    split
        "all"; "test", every fifth picture of a class (its fifth, tenth, ...); "train", the others.

    Raises
    ------
    UserError
        No class, a class without a picture, an unreadable picture, or nothing in the split.
    """
    classes = _folders(Path(folder), "class")
    chosen: list[tuple[int, int, Path]] = []
    for label, class_folder in enumerate(classes):
        paths = sorted(path for path in class_folder.iterdir() if is_picture_name(path.relative_to(class_folder)))
        if not paths:
            raise UserError(f"{class_folder}: holds no picture ({', '.join(sorted(SUFFIXES))})")
        for number, path in enumerate(paths, start=1):
            if split == "all" or (split == "test") == (number % TEST_EVERY == 0):
                chosen.append((number, label, path))
    if not chosen:
        raise UserError(f"{folder}: no class has the {TEST_EVERY} pictures that a test split needs; use the split all")
    chosen.sort()
    images = np.stack([preprocessing.apply([_read(path)])[0] for *_, path in chosen])
    labels = np.array([label for _, label, _ in chosen], np.int64)
    return ImageSet(images, labels, tuple(folder.name for folder in classes))


def _read(path: Path) -> Uint8Array:
    try:
        return read_picture(path)
    except InputError as error:
        raise UserError(f"{error}; replace or remove it") from error


def _folders(folder: Path, kind: str) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    folders = sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".") and path.name != "__MACOSX"
    )
    if not folders:
        raise UserError(f"{folder}: must hold one folder per {kind}, but holds none")
    return folders
