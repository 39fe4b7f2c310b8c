"""Labelled images in memory, as every loader returns them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finn_flow.deployment.driver.preprocessing import Preprocessing, Uint8Array

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of one size with one label each.

    Parameters
    ----------
    images
        uint8 [N, H, W, C], C = 1 or 3.
    labels
        int64 [N], each an index into `class_names`.
    class_names
        One name per class; classes without an image are legal.

    Raises
    ------
    ValueError
        Shapes, types or labels do not agree.
    """

    images: Uint8Array
    labels: Int64Array
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
            raise ValueError(f"`images` must be uint8 [N, H, W, 1 or 3], not {images.dtype} {list(images.shape)}")
        if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
            raise ValueError(f"`labels` must be int64 [{len(images)}], not {labels.dtype} {list(labels.shape)}")
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.class_names):
            raise ValueError(f"labels must be 0..{len(self.class_names) - 1}, not {labels.min()}..{labels.max()}")

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, selection: slice | npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> "ImageSet":
        """Return the images that a slice, an index array or a mask selects, in its order."""
        return ImageSet(self.images[selection], self.labels[selection], self.class_names)

    def numbered_as(self, class_names: tuple[str, ...]) -> "ImageSet":
        """Return the same images with the labels that `class_names` gives to classes of the same names.

        Raises
        ------
        ValueError
            A class of this set is not among `class_names`; it names all of these.
        """
        unknown = [name for name in self.class_names if name not in class_names]
        if unknown:
            raise ValueError(f"has classes that are not among {', '.join(class_names)}: {', '.join(unknown)}")
        numbers = np.array([class_names.index(name) for name in self.class_names], np.int64)
        return ImageSet(self.images, numbers[self.labels], class_names)

    def preprocessed(self, preprocessing: Preprocessing) -> "ImageSet":
        """Return the same set with every image brought to the size and channels of `preprocessing`."""
        return ImageSet(preprocessing.apply(self.images), self.labels, self.class_names)


def digit_names(labels: Int64Array) -> tuple[str, ...]:
    """Class names "0", "1", ... for numbered classes: ten of them, or more when the labels go beyond 9."""
    count = max(10, int(labels.max()) + 1) if len(labels) else 10
    return tuple(str(number) for number in range(count))
