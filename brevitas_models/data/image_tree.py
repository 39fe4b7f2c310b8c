"""Folders of pictures as in Office-31: `root/domain/class/*.jpg` (or .jpeg, .png, .bmp, .webp).

Source of the layout: Saenko et al., "Adapting Visual Category Models to New Domains", ECCV 2010.
"""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from brevitas_models.data.image_set import ImageSet
from finn_flow.deployment.driver.preprocessing import Preprocessing, Uint8Array
from finn_flow.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
TEST_EVERY = 5


def list_domains(root: Path) -> list[str]:
    """The names of the domains (folders) of a tree, sorted.

    Raises:
        UserError: there is no such folder, or it holds no folder.
    """
    return [folder.name for folder in _folders(Path(root), "domain")]


def read_image_tree(folder: Path, split: str, preprocessing: Preprocessing) -> ImageSet:
    """One domain's pictures, in the order of class and file name, each brought to one size at once.

    Transparent pixels become white; an EXIF rotation is not applied. Two domains of one tree get the same labels if
    they have the same classes: labels number the class folders in sorted order.

    Parameters:
        folder: the domain, e.g. `office31/amazon`; its folders are the classes. Where every class folder holds nothing
            but a folder `images`, as some copies of Office-31 have it (`amazon/images/<class>`), give that one.
        split: "all"; "test", every fifth picture of a class (its fifth, tenth, ...); "train", the others.

    Raises:
        UserError: no class, a class without a picture, an unreadable picture, or nothing in the split.
    """
    images: list[Uint8Array] = []
    labels: list[int] = []
    classes = _folders(Path(folder), "class")
    for label, class_folder in enumerate(classes):
        paths = sorted(path for path in class_folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise UserError(f"{class_folder}: holds no picture ({', '.join(SUFFIXES)})")
        for number, path in enumerate(paths, start=1):
            if split == "all" or (split == "test") == (number % TEST_EVERY == 0):
                images.append(preprocessing.apply([read_picture(path)])[0])
                labels.append(label)
    if not images:
        raise UserError(f"{folder}: no class has the {TEST_EVERY} pictures that a test split needs; use the split all")
    return ImageSet(np.stack(images), np.array(labels, np.int64), tuple(folder.name for folder in classes))


def read_picture(path: Path) -> Uint8Array:
    """One picture file as uint8 [h, w] (grey) or [h, w, 3].

    Raises:
        UserError: it is missing, damaged, no picture, or suspiciously large (Pillow's decompression-bomb limit).
    """
    try:
        with Image.open(path) as picture:
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                white = Image.new("RGBA", picture.size, "white")
                return np.asarray(Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB"))
            return np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: not a readable picture ({error}); replace or remove it") from error


def _folders(folder: Path, kind: str) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not folders:
        raise UserError(f"{folder}: must hold one folder per {kind}, but holds none")
    return folders
