import numpy as np
import pytest

from brevitas_models.data.image_set import ImageSet
from brevitas_models.data.mnist_m import blend_digits, sample_photos


def digits(count=50, value=None):
    random = np.random.default_rng(2)
    images = random.integers(256, size=(count, 7, 5, 1), dtype=np.uint8)
    if value is not None:
        images[:] = value
    return ImageSet(images, np.arange(count) % 10, tuple("0123456789"))


def test_the_photos_are_there():
    assert [photo.shape for photo in sample_photos()] == [(427, 640, 3), (427, 640, 3)]


def test_same_seed_same_images():
    photos = sample_photos()
    first, again, other = (blend_digits(digits(), photos, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)
    assert first.images.shape == (50, 7, 5, 3)
    assert np.array_equal(first.labels, digits().labels)


def test_is_the_absolute_difference_to_a_patch():
    photo = np.random.default_rng(4).integers(256, size=(7, 5, 3), dtype=np.uint8)  # a single position is possible
    blended = blend_digits(digits(), [photo], 0).images
    assert np.array_equal(blended, np.abs(photo.astype(int) - digits().images.astype(int)))


def test_patches_come_from_everywhere():
    photo = np.zeros((9, 9, 3), np.uint8)
    photo[..., 0], photo[..., 1] = np.arange(9)[:, np.newaxis], np.arange(9)
    corners = blend_digits(digits(500, value=0), [photo, photo + 100], 0).images[:, 0, 0, :2]
    assert len(np.unique(corners, axis=0)) == 2 * 3 * 5


def test_wrong_input():
    with pytest.raises(ValueError, match=r"must be grey \(one channel\), not 3 channels"):
        blend_digits(ImageSet(np.zeros((1, 4, 4, 3), np.uint8), np.zeros(1, np.int64), ("0",)), sample_photos(), 0)
    with pytest.raises(ValueError, match="every photo must be at least 7 x 5"):
        blend_digits(digits(), [np.zeros((6, 6, 3), np.uint8)], 0)
