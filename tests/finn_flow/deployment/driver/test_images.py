"""Reading images: every kind of source, and everything that can be wrong with one."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finn_flow.deployment.driver import files
from finn_flow.deployment.driver.errors import InputError
from finn_flow.deployment.driver.images import read_images, read_labelled, read_picture

GREY = np.arange(48, dtype=np.uint8).reshape(8, 6)
COLOUR = np.arange(144, dtype=np.uint8).reshape(8, 6, 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder `images` with two images on two levels and a text file."""
    root = tmp_path / "images"
    (root / "below").mkdir(parents=True)
    Image.fromarray(GREY).save(root / "b.png")
    Image.fromarray(COLOUR).save(root / "below" / "a.PNG")
    (root / "notes.txt").write_text("no image")
    return root


def check(found) -> None:
    np.testing.assert_array_equal(found.images[0], GREY)
    np.testing.assert_array_equal(found.images[1], COLOUR)


def test_folders_files_and_archives(folder, tmp_path):
    check(read_images([folder]))
    check(read_images([folder / "b.png", folder / "below"]))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(folder / "b.png", "../../b.png")
        archive.write(folder / "below" / "a.PNG", "../../c.png")
        archive.write(folder / "notes.txt", "notes.txt")
    before = sorted(tmp_path.rglob("*"))
    found = read_images([tmp_path / "x.zip"])
    check(found)
    assert found.names[0].endswith("x.zip:../../b.png")
    assert sorted(tmp_path.rglob("*")) == before  # nothing is unpacked to the disk


def test_what_macos_leaves_behind_is_no_picture(folder, tmp_path):
    (folder / "._b.png").write_bytes(b"resource fork")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "c.png").write_bytes(b"")
    check(read_images([folder]))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(folder / "b.png", "images/b.png")
        archive.write(folder / "below" / "a.PNG", "images/c.png")
        archive.writestr("__MACOSX/images/._b.png", b"resource fork")
        archive.writestr("images/._b.png", b"resource fork")
    check(read_images([tmp_path / "x.zip"]))


def test_one_picture(folder, tmp_path):
    np.testing.assert_array_equal(read_picture(folder / "b.png"), GREY)
    with pytest.raises(InputError, match="nothing: no such file"):
        read_picture(tmp_path / "nothing")


def test_arrays(tmp_path):
    np.save(tmp_path / "one.npy", GREY)
    np.savez(tmp_path / "two.npz", images=np.stack([GREY, GREY]), labels=[1, 2])
    assert read_images([tmp_path / "one.npy", tmp_path / "two.npz"]).names == [
        f"{tmp_path / 'one.npy'}[0]",
        f"{tmp_path / 'two.npz'}[0]",
        f"{tmp_path / 'two.npz'}[1]",
    ]
    found = read_labelled(tmp_path / "two.npz", ("0", "1", "2"))
    assert found.labels == [1, 2]


def test_transparent_and_palette_images_become_rgb(tmp_path):
    Image.fromarray(COLOUR).convert("RGBA").save(tmp_path / "a.png")
    Image.fromarray(COLOUR).convert("P").save(tmp_path / "b.png")
    assert [image.shape for image in read_images([tmp_path]).images] == [(8, 6, 3)] * 2


def test_a_folder_per_class(folder, tmp_path):
    (tmp_path / "data").mkdir()
    (folder / "below").rename(tmp_path / "data" / "cat")
    folder.rename(tmp_path / "data" / "ant")
    found = read_labelled(tmp_path / "data", ("ant", "bee", "cat"))
    assert found.labels == [0, 2]
    with pytest.raises(InputError, match=r"cat: no class of this network; the classes are ant, bee"):
        read_labelled(tmp_path / "data", ("ant", "bee"))


def broken(tmp_path: Path) -> dict[str, Path]:
    """One file of each kind that cannot be read."""
    (tmp_path / "text.png").write_text("no image")
    Image.fromarray(np.zeros((90, 90), np.uint8)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    (tmp_path / "bad.zip").write_text("no archive")
    (tmp_path / "bad.npy").write_text("no array")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "empty").mkdir()
    return {path.name: path for path in (*tmp_path.iterdir(), tmp_path / "missing.png")}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text.png", "is no image"),
        ("cut.png", "cannot be read as an image"),
        ("bad.zip", "cannot be read as an archive"),
        ("bad.npy", "cannot be read"),
        ("objects.npy", "cannot be read: its elements are object, not numbers"),
        ("empty", r"empty holds no images \(files named .bmp"),
        ("missing.png", "no such file or folder"),
    ],
)
def test_what_cannot_be_read(tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        read_images([broken(tmp_path)[name]])


def test_bombs_are_not_unpacked(tmp_path, monkeypatch, folder):
    monkeypatch.setattr(files, "MOST_FILE_BYTES", 900)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.png", bytes(1000), zipfile.ZIP_DEFLATED)
    np.savez_compressed(tmp_path / "x.npz", images=np.zeros((30, 8, 6), np.uint8))
    for name in ("x.zip", "x.npz"):
        with pytest.raises(InputError, match=r"unpacks to .* bytes, more than 900"):
            read_images([tmp_path / name])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(InputError, match="decompression bomb"):
        read_images([folder])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": GREY}, "must hold the arrays `images` and `labels`, not images"),
        ({"images": GREY[np.newaxis], "labels": np.zeros(2, int)}, "one whole number per image, not int64"),
        ({"images": GREY[np.newaxis], "labels": np.zeros(1)}, "one whole number per image, not float64"),
        ({"images": GREY[np.newaxis], "labels": np.full(1, -1)}, "`labels` must be 0 to 1, not -1 to -1"),
        ({"images": GREY[np.newaxis], "labels": np.full(1, 2)}, "`labels` must be 0 to 1, not 2 to 2"),
    ],
)
def test_bad_labels(tmp_path, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=message):
        read_labelled(tmp_path / "x.npz", ("ant", "bee"))


def test_no_data_set(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_labelled(tmp_path / "x.npz", ())
    with pytest.raises(InputError, match=r"x must be an \.npz file or a folder"):
        read_labelled(tmp_path / "x", ())
    with pytest.raises(InputError, match="holds no folder of images"):
        read_labelled(tmp_path, ())
    (tmp_path / "x.txt").touch()
    with pytest.raises(InputError, match=r"must be an \.npz file or a folder"):
        read_labelled(tmp_path / "x.txt", ())
