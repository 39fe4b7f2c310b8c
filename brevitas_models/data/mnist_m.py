"""MNIST-M: digits blended into patches of colour photos, |patch - digit| in each channel.

Source: Ganin & Lempitsky, "Unsupervised Domain Adaptation by Backpropagation", ICML 2015. The original takes its
patches from BSDS500, this one from the two photos that scikit-learn ships, so figures are not comparable one to one.
"""

from collections.abc import Sequence

import numpy as np

from brevitas_models.data.image_set import ImageSet
from finn_flow.deployment.driver.preprocessing import Uint8Array


def sample_photos() -> list[Uint8Array]:
    """scikit-learn's two photos (china, flower), each uint8 [427, 640, 3]."""
    from sklearn.datasets import load_sample_images  # a slow import that only this data set needs

    return [np.asarray(photo, dtype=np.uint8) for photo in load_sample_images().images]


def blend_digits(digits: ImageSet, photos: Sequence[Uint8Array], seed: int) -> ImageSet:
    """`digits` on photo patches: for each digit a photo and a position are drawn at random.

    Parameters
    ----------
    digits
        Grey images, [N, H, W, 1].
    photos
        uint8 [h, w, 3], each at least H x W.
    seed
        The same seed gives the same images, bit for bit.

    Returns
    -------
    ImageSet
        RGB images [N, H, W, 3], same order and labels.

    Raises
    ------
    ValueError
        `digits` are not grey, or a photo is too small.
    """
    count, height, width, channels = digits.images.shape
    if channels != 1:
        raise ValueError(f"`digits` must be grey (one channel), not {channels} channels")
    if not photos or any(photo.shape[0] < height or photo.shape[1] < width for photo in photos):
        raise ValueError(f"every photo must be at least {height} x {width}")
    random = np.random.default_rng(seed)
    choice = random.integers(len(photos), size=count)
    images = np.empty((count, height, width, 3), np.uint8)
    for number, photo in enumerate(photos):
        chosen = np.flatnonzero(choice == number)
        rows = random.integers(photo.shape[0] - height + 1, size=len(chosen))
        columns = random.integers(photo.shape[1] - width + 1, size=len(chosen))
        windows = np.lib.stride_tricks.sliding_window_view(photo, (height, width), axis=(0, 1))
        patches = np.moveaxis(windows[rows, columns], 1, 3)
        grey = digits.images[chosen]
        images[chosen] = np.maximum(patches, grey) - np.minimum(patches, grey)
    return ImageSet(images, digits.labels, digits.class_names)
