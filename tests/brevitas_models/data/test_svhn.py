import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st

from brevitas_models.data.svhn import read_svhn
from finn_flow.errors import UserError

IMAGES = np.random.default_rng(5).integers(256, size=(3, 32, 32, 3), dtype=np.uint8)
X = np.moveaxis(IMAGES, 0, 3)
Y = np.array([[10], [1], [9]], np.uint8)


def test_reads_and_makes_ten_zero(tmp_path):
    scipy.io.savemat(tmp_path / "train_32x32.mat", {"X": X, "y": Y}, do_compression=True)
    for path in (tmp_path, tmp_path / "train_32x32.mat"):
        images = read_svhn(path, "train")
        assert np.array_equal(images.images, IMAGES)
        assert images.labels.tolist() == [0, 1, 9]


def test_one_image(tmp_path):
    scipy.io.savemat(tmp_path / "test_32x32.mat", {"X": X[..., 0], "y": Y[:1]})
    assert np.array_equal(read_svhn(tmp_path, "test").images, IMAGES[:1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"X": X}, "must hold the variables X, y; y is missing"),
        ({"X": IMAGES, "y": Y}, r"`X` must be uint8 \[height, width, 3, N\], not uint8 \[3, 32, 32, 3\]"),
        ({"X": X.astype(float), "y": Y}, "not float64"),
        ({"X": X, "y": Y[:2]}, "`X` holds 3 images but `y` 2 labels"),
        ({"X": X, "y": Y + 1}, r"`y` must hold labels 1\.\.10"),
        ({"X": X, "y": ["a", "b", "c"]}, r"`y` must hold labels 1\.\.10"),
    ],
)
def test_wrong_content(content, message, tmp_path):
    scipy.io.savemat(tmp_path / "train_32x32.mat", content)
    with pytest.raises(UserError, match=message):
        read_svhn(tmp_path, "train")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("svhn") / "whole.mat"
    scipy.io.savemat(path, {"X": X, "y": Y}, do_compression=True)
    return path


@given(st.floats(0, 1, exclude_max=True))
def test_any_truncation_is_noticed(whole, share):
    path = whole.with_name("part.mat")
    path.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    with pytest.raises(UserError, match=r"part\.mat: (not a readable MATLAB file|must hold the variables)"):
        read_svhn(path, "train")


def test_not_matlab(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(600))
    with pytest.raises(UserError, match=r"a\.mat: (not a readable MATLAB file|MATLAB 7\.3)"):
        read_svhn(tmp_path / "a.mat", "train")
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "a.mat").write_bytes(header + bytes(600))
    with pytest.raises(UserError, match=r"MATLAB 7\.3 \(HDF5\) files are not read; save it with `save -v7`"):
        read_svhn(tmp_path / "a.mat", "train")
    with pytest.raises(UserError, match="no such file"):
        read_svhn(tmp_path, "train")
