import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from brevitas_models.data.idx import read_idx, read_idx_pair, read_mnist
from finn_flow.errors import UserError


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([2, 0, 9], np.uint8)


@given(arrays(np.uint8, st.tuples(st.integers(0, 3), st.integers(1, 4), st.integers(1, 4))), st.booleans())
def test_round_trip(tmp_path_factory, array, compressed):
    path = tmp_path_factory.mktemp("idx") / "images"
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content) if compressed else content)
    assert np.array_equal(read_idx(path, 3), array)


@given(st.integers(0, len(idx_bytes(IMAGES)) - 1), st.booleans())
def test_any_truncation_is_noticed(tmp_path_factory, length, compressed):
    path = tmp_path_factory.mktemp("idx") / "images"
    content = idx_bytes(IMAGES)
    path.write_bytes(gzip.compress(content)[:length] if compressed else content[:length])
    with pytest.raises(UserError, match=r"images: "):
        read_idx(path, 3)


def test_pair(tmp_path):
    (tmp_path / "i").write_bytes(idx_bytes(IMAGES))
    (tmp_path / "l").write_bytes(idx_bytes(LABELS))
    images = read_idx_pair(tmp_path / "i", tmp_path / "l")
    assert np.array_equal(images.images[..., 0], IMAGES)
    assert images.labels.tolist() == [2, 0, 9]
    assert images.class_names == tuple("0123456789")


@pytest.mark.parametrize("pattern", ["{}-{}-idx{}-ubyte", "{}-{}.idx{}-ubyte", "{}-{}-idx{}-ubyte.gz"])
def test_folder_under_its_usual_names(tmp_path, pattern):
    for prefix, count in (("train", 3), ("t10k", 2)):
        for kind, array in (("images", IMAGES), ("labels", LABELS)):
            content = idx_bytes(array[:count])
            path = tmp_path / pattern.format(prefix, kind, array.ndim)
            path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    assert len(read_mnist(tmp_path, "train")) == 3
    assert len(read_mnist(tmp_path, "test")) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be an IDX file of unsigned bytes with 3 dimensions, starting with 00 00 08 03, not an empty file"),
        (b"\x89PNG\r\n", "not 89 50 4e 47"),
        (idx_bytes(LABELS), "with 3 dimensions, starting with 00 00 08 03, not 00 00 08 01"),
        (idx_bytes(IMAGES)[:10], r"truncated inside its header \(10 of 16 bytes\); get it again"),
        (idx_bytes(IMAGES)[:-7], "truncated: its header announces 3 x 4 x 5 bytes, 53 follow; get it again"),
        (idx_bytes(IMAGES) + b"x", "too long: its header announces 3 x 4 x 5 bytes, 61 follow"),
        (struct.pack(">4B3I", 0, 0, 8, 3, *[2**32 - 1] * 3), "truncated: its header announces 4294967295 x"),
        (gzip.compress(idx_bytes(IMAGES))[:-9], "damaged compressed file"),
        (gzip.compress(idx_bytes(IMAGES))[:30] + b"\xff" * 30, "damaged compressed file"),
    ],
    ids=lambda value: "content" if isinstance(value, bytes) else None,  # compressed bytes hold the time
)
def test_wrong_files(content, message, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UserError, match="file: .*" + message):
        read_idx(tmp_path / "file", 3)


def test_missing_files(tmp_path):
    with pytest.raises(UserError, match="nothing: no such file"):
        read_idx(tmp_path / "nothing", 3)
    with pytest.raises(UserError, match="cannot be read"):
        read_idx(tmp_path, 3)
    with pytest.raises(UserError, match=r"must hold train-images-idx3-ubyte or train-images\.idx3-ubyte"):
        read_mnist(tmp_path, "train")
    with pytest.raises(UserError, match="nothing: no such folder"):
        read_mnist(tmp_path / "nothing", "train")


@pytest.mark.parametrize(
    ("images", "labels", "names", "message"),
    [
        (IMAGES, LABELS[:2], None, r"i holds 3 images but .*l 2 labels"),
        (IMAGES[:0], LABELS[:0], None, "i: holds no images"),
        (IMAGES, LABELS, ("a", "b", "c"), r"l: labels must be 0\.\.2, not 9"),
    ],
)
def test_files_that_do_not_agree(images, labels, names, message, tmp_path):
    (tmp_path / "i").write_bytes(idx_bytes(images))
    (tmp_path / "l").write_bytes(idx_bytes(labels))
    with pytest.raises(UserError, match=message):
        read_idx_pair(tmp_path / "i", tmp_path / "l", names)
