"""The catalogue on the real data sets, and its errors."""

import numpy as np
import pytest

from brevitas_models.data import DATASETS, load_images
from finn_flow.deployment.driver.preprocessing import Preprocessing
from finn_flow.errors import UserError


def histogram(images):
    return np.bincount(images.labels, minlength=10).tolist()


def test_mnist_is_whole(mnist):
    assert mnist["train"].images.shape == (60000, 28, 28, 1)
    assert mnist["test"].images.shape == (10000, 28, 28, 1)
    assert histogram(mnist["train"]) == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert histogram(mnist["test"]) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_usps_is_whole_and_upright(usps):
    assert usps["train"].images.shape == usps["test"].images.shape == (4649, 16, 16, 1)
    assert histogram(usps["train"]) == [767, 622, 475, 406, 409, 361, 420, 390, 377, 422]
    assert histogram(usps["test"]) == [786, 647, 454, 418, 443, 355, 414, 402, 331, 399]
    # Ones are upright strokes and sevens have their bar on top: seen on a contact sheet, kept here as numbers.
    ones = usps["train"].images[usps["train"].labels == 1][..., 0].mean(axis=0)
    sevens = usps["train"].images[usps["train"].labels == 7][..., 0].mean(axis=0)
    assert ones[:, 7:9].mean() > 3 * ones[7:9].mean()
    assert sevens[:4].mean() > 1.5 * sevens[-4:].mean()


def test_usps_looks_like_mnist(mnist, usps):
    """Same polarity and orientation: class means correlate best as they are, not inverted, mirrored or turned."""
    small = mnist["test"].preprocessed(Preprocessing((16, 16), 1))

    def means(images):
        return np.stack([images.images[images.labels == label, :, :, 0].mean(axis=0) for label in range(10)])

    ours, theirs = means(usps["test"]), means(small)
    variants = {
        "as it is": ours,
        "inverted": 255 - ours,
        "mirrored": ours[:, :, ::-1],
        "upside down": ours[:, ::-1],
        "transposed": ours.transpose(0, 2, 1),
    }
    scores = {name: np.corrcoef(variant.ravel(), theirs.ravel())[0, 1] for name, variant in variants.items()}
    assert max(scores, key=scores.get) == "as it is", scores


def test_mnist_m(mnist):
    images = load_images("mnist-m", "test")
    assert images.images.shape == (10000, 28, 28, 3)
    assert np.array_equal(images.labels, mnist["test"].labels)
    assert np.array_equal(images.images, load_images("mnist-m", "test").images)


def test_preprocessing_is_applied(usps):
    images = load_images("usps", "test", Preprocessing((8, 8), 3))
    assert images.images.shape == (4649, 8, 8, 3)


def test_datasets():
    emnist = tuple(f"emnist-{name}" for name in ("balanced", "byclass", "bymerge", "digits", "letters", "mnist"))
    assert ("mnist", "usps", "fashion-mnist", "mnist-m", "svhn", *emnist, "image-tree") == DATASETS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("mnits", "train"),
            "`dataset` must be one of mnist, usps, fashion-mnist, mnist-m, svhn, emnist-.*, image-tree, not 'mnits'",
        ),
        (("mnist", "all"), "`split` of mnist must be one of train, test, not 'all'"),
        (("svhn", "train"), "svhn cannot be fetched: give the folder of your own copy as `path`"),
        (("image-tree", "train"), "image-tree needs `path`, the folder of one domain whose folders are the classes"),
    ],
)
def test_wrong_requests(arguments, message):
    with pytest.raises(UserError, match=message):
        load_images(*arguments)


def test_what_was_not_fetched(monkeypatch, tmp_path):
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path))
    with pytest.raises(UserError, match=r"usps_resampled\.mat is not in the cache; run `dsode data fetch usps`"):
        load_images("usps", "train")
    with pytest.raises(UserError, match="run `dsode data fetch mnist`"):
        load_images("mnist-m", "train")


def test_users_own_files(tmp_path):
    with pytest.raises(UserError, match="must hold train-images-idx3-ubyte"):
        load_images("fashion-mnist", "train", path=tmp_path)
