import numpy as np
import pytest

from brevitas_models.data.image_set import ImageSet, digit_names
from finn_flow.deployment.driver.preprocessing import Preprocessing

IMAGES = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3, 1)
LABELS = np.array([0, 1, 1, 0])


def test_subset_and_preprocessed():
    images = ImageSet(IMAGES, LABELS, ("a", "b"))
    assert len(images) == 4
    assert images.subset(images.labels == 1).labels.tolist() == [1, 1]
    assert np.array_equal(images.subset(np.array([3, 0])).images, IMAGES[[3, 0]])
    assert len(images.subset(slice(1))) == 1
    assert images.preprocessed(Preprocessing((5, 5), 3)).images.shape == (4, 5, 5, 3)


def test_digit_names_grow_with_the_labels():
    assert digit_names(np.array([], np.int64)) == digit_names(np.array([3])) == tuple("0123456789")
    assert digit_names(np.array([3, 11]))[-1] == "11"


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES.astype(float), LABELS, "`images` must be uint8"),
        (IMAGES[..., 0], LABELS, r"not uint8 \[4, 2, 3\]"),
        (IMAGES, LABELS[:3], r"`labels` must be int64 \[4\], not int64 \[3\]"),
        (IMAGES, LABELS.astype(np.uint8), "not uint8"),
        (IMAGES, LABELS + 1, r"labels must be 0\.\.1, not 1\.\.2"),
        (IMAGES, LABELS - 1, r"labels must be 0\.\.1, not -1\.\.0"),
    ],
)
def test_wrong_parts(images, labels, message):
    with pytest.raises(ValueError, match=message):
        ImageSet(images, labels, ("a", "b"))
