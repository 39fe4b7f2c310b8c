import gzip
import struct

import numpy as np
import pytest

from brevitas_models.data import load_images
from brevitas_models.data.emnist import EMNIST_CLASSES
from finn_flow.errors import UserError

IMAGES = np.arange(2 * 28 * 28, dtype=np.uint32).reshape(2, 28, 28).astype(np.uint8)


def write(folder, name, split, labels):
    for kind, array in (("images-idx3", IMAGES), ("labels-idx1", np.array(labels, np.uint8))):
        header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        path = folder / f"emnist-{name}-{split}-{kind}-ubyte.gz"
        path.write_bytes(gzip.compress(header + array.tobytes()))


@pytest.mark.parametrize(
    ("name", "count", "labels", "characters"),
    [
        ("balanced", 47, [46, 10], "tA"),
        ("bymerge", 47, [36, 9], "a9"),
        ("byclass", 62, [61, 36], "za"),
        ("digits", 10, [9, 0], "90"),
        ("letters", 26, [1, 26], "AZ"),
        ("mnist", 10, [3, 4], "34"),
    ],
)
def test_images_stand_upright_and_labels_are_characters(name, count, labels, characters, tmp_path):
    assert len(EMNIST_CLASSES[name]) == len(set(EMNIST_CLASSES[name])) == count
    write(tmp_path, name, "test", labels)
    images = load_images(f"emnist-{name}", "test", path=tmp_path)
    assert "".join(images.class_names[label] for label in images.labels) == characters
    assert np.array_equal(images.images[..., 0], IMAGES.transpose(0, 2, 1))


@pytest.mark.parametrize(("name", "label", "allowed"), [("letters", 0, r"1\.\.26"), ("mnist", 10, r"0\.\.9")])
def test_labels_that_the_split_does_not_have(name, label, allowed, tmp_path):
    write(tmp_path, name, "train", [3, label])
    with pytest.raises(UserError, match=rf"labels-idx1-ubyte\.gz: labels must be {allowed}, not {label}"):
        load_images(f"emnist-{name}", "train", path=tmp_path)


def test_missing_files(tmp_path):
    with pytest.raises(UserError, match="must hold emnist-digits-train-images-idx3-ubyte"):
        load_images("emnist-digits", "train", path=tmp_path)
