import bz2
import gzip

import h5py
import numpy as np
import pytest
import scipy.io

from brevitas_models.data.usps import read_usps
from finn_flow.errors import UserError

CODES = np.random.default_rng(3).integers(256, size=(4, 16, 16), dtype=np.uint8)
VALUES = CODES.reshape(4, 256) / 127.5 - 1
DIGITS = np.array([7, 0, 9, 3])


def patterns(values=VALUES, digits=DIGITS):
    labels = np.full((10, len(digits)), -1, np.int16)
    labels[digits, np.arange(len(digits))] = 1
    return {"train_patterns": values.T, "train_labels": labels}


def write_mat(folder, content):
    scipy.io.savemat(folder / "usps_resampled.mat", content)


def zip_text():
    rows = (
        f"{digit}.0000 " + " ".join(f"{value:.6f}" for value in row) for digit, row in zip(DIGITS, VALUES, strict=True)
    )
    return ("\n".join(rows) + "\n").encode()


def libsvm_text():
    lines = []
    for digit, row in zip(DIGITS, VALUES, strict=True):
        lines.append(f"{digit + 1} " + " ".join(f"{i}:{value:.6f}" for i, value in enumerate(row, start=1)) + " ")
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("split", "name", "content"),
    [
        ("train", "zip.train", zip_text()),
        ("test", "zip.test.gz", gzip.compress(zip_text())),
        ("train", "usps", libsvm_text()),
        ("train", "usps.bz2", bz2.compress(libsvm_text())),
        ("test", "usps.t.bz2", bz2.compress(libsvm_text())),
    ],
    ids=lambda value: "content" if isinstance(value, bytes) else None,  # compressed bytes hold the time
)
def test_classic_split_as_text(split, name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    images = read_usps(tmp_path, split)
    assert np.array_equal(images.images[..., 0], CODES)
    assert images.labels.tolist() == DIGITS.tolist()


def test_a_value_that_is_not_written_is_zero(tmp_path):
    (tmp_path / "usps").write_text("4 1:-1 3:1\n10\n")
    images = read_usps(tmp_path, "train")
    assert images.labels.tolist() == [3, 9]
    assert images.images[0].ravel().tolist() == [0, 128, 255] + [128] * 253
    assert images.images[1].ravel().tolist() == [128] * 256


def write_h5(folder, data, target):
    with h5py.File(folder / "usps.h5", "w") as file:
        for split in ("train", "test"):
            file[f"{split}/data"], file[f"{split}/target"] = data, target


def test_hdf5(tmp_path):
    write_h5(tmp_path, (CODES.reshape(4, 256) / 255).astype(np.float32), DIGITS)
    for split in ("train", "test"):
        images = read_usps(tmp_path, split)
        assert np.array_equal(images.images[..., 0], CODES)
        assert images.labels.tolist() == DIGITS.tolist()


@pytest.mark.parametrize(
    ("data", "target", "message"),
    [
        (np.zeros((4, 255)), DIGITS, r"`train/data` must be \[N, 256\] and .*, not \[4, 255\] and \[4\]"),
        (np.zeros((4, 256)), DIGITS[:3], r"not \[4, 256\] and \[3\]"),
        (np.full((4, 256), -0.5), DIGITS, r"pixel values must be within 0\.\.1"),
        (np.zeros((4, 256)), DIGITS + 1, r"labels must stand for the digits 0\.\.9"),
        (np.zeros((4, 256)), ["a"] * 4, "must hold the arrays train/data, train/target; train/target is missing"),
    ],
)
def test_wrong_hdf5(tmp_path, data, target, message):
    write_h5(tmp_path, data, target)
    with pytest.raises(UserError, match=r"usps\.h5: .*" + message):
        read_usps(tmp_path, "train")


def test_damaged_hdf5(tmp_path):
    write_h5(tmp_path, VALUES, DIGITS)
    path = tmp_path / "usps.h5"
    for content in (b"", b"text", path.read_bytes()[:-300]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"usps\.h5: not a readable HDF5 file .*; get it again"):
            read_usps(tmp_path, "train")


def test_patterns(tmp_path):
    write_mat(tmp_path, patterns())
    images = read_usps(tmp_path, "train")
    assert np.array_equal(images.images[..., 0], CODES)
    assert images.labels.tolist() == DIGITS.tolist()
    assert images.class_names == tuple("0123456789")


TWO_LABELS = patterns()
TWO_LABELS["train_labels"][5, 0] = 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x": 1}, "must hold the variables train_patterns, train_labels; train_patterns, train_labels is missing"),
        ({**patterns(), "train_patterns": VALUES}, r"`train_patterns` must be \[256, N\] and .* not \[4, 256\] and"),
        ({**patterns(), "train_labels": [[1, 1, 1, 1]]}, r"not \[256, 4\] and \[1, 4\]"),
        (TWO_LABELS, "every column of `train_labels` must hold exactly one 1"),
        (patterns(VALUES * 2), r"pixel values must be within -1\.\.1"),
        (patterns(VALUES * np.nan), r"pixel values must be within -1\.\.1"),
    ],
)
def test_wrong_patterns(content, message, tmp_path):
    write_mat(tmp_path, content)
    with pytest.raises(UserError, match=r"usps_resampled\.mat: .*" + message):
        read_usps(tmp_path, "train")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("zip.train", b"3 0.5 0.5\n", r"zip\.train, line 1: must be a label and 256 values"),
        ("zip.train", zip_text() + b"x " + zip_text(), r"zip\.train, line 5: must be a label and 256 values"),
        ("zip.train", b"", "holds no images"),
        ("usps", b"11 1:0.5\n", r"labels must stand for the digits 0\.\.9"),
        ("usps", b"1.5 1:0.5\n", r"usps, line 1: .*label 1\.5 is not a whole number"),
        ("usps", b"1 257:0.5\n", r"position 257 is not within 1\.\.256"),
        ("usps", b"1 5\n", r"usps, line 1: must be `label 1:value \.\.\.`"),
        ("usps.bz2", bz2.compress(libsvm_text())[:-20], "damaged compressed file"),
    ],
    ids=lambda value: "content" if isinstance(value, bytes) else None,  # compressed bytes hold the time
)
def test_wrong_text(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_usps(tmp_path, "train")


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match=r"must hold usps_resampled\.mat or usps\.h5 or zip\.train or usps"):
        read_usps(tmp_path, "train")
