import numpy as np
import pytest
from PIL import Image

from brevitas_models.data.image_tree import list_domains, read_image_tree
from finn_flow.deployment.driver.images import read_images
from finn_flow.deployment.driver.preprocessing import Preprocessing
from finn_flow.errors import UserError

PREPROCESSING = Preprocessing((4, 6), 3)


def picture(path, value, size=(8, 5), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


@pytest.fixture
def office(tmp_path):
    for domain, suffix in (("webcam", "png"), ("amazon", "jpg")):
        for number, name in enumerate(("mug", "bike")):
            for index in range(6):
                color = (40 * number, 20 * index, 200)
                picture(tmp_path / domain / name / f"frame_{index:04}.{suffix}", color, size=(8 + index, 5))
    (tmp_path / "amazon" / "mug" / "notes.txt").write_text("not a picture")
    return tmp_path


def test_reads_a_domain(office):
    assert list_domains(office) == ["amazon", "webcam"]
    images = read_image_tree(office / "webcam", "all", PREPROCESSING)
    assert images.images.shape == (12, 4, 6, 3)
    assert images.class_names == ("bike", "mug")
    assert images.labels.tolist() == [0, 1] * 6
    assert images.images[:, 0, 0].tolist() == [[red, 20 * i, 200] for i in range(6) for red in (40, 0)]
    assert len(read_image_tree(office / "amazon", "all", PREPROCESSING)) == 12


def test_splits_are_disjoint_and_complete(office):
    parts = {split: read_image_tree(office / "webcam", split, PREPROCESSING) for split in ("train", "test", "all")}
    assert parts["test"].images[:, 0, 0, 1].tolist() == [80, 80]
    assert len(parts["train"]) == 10
    joined = np.concatenate([parts["train"].images, parts["test"].images])
    assert np.array_equal(np.unique(joined, axis=0), np.unique(parts["all"].images, axis=0))


def test_pictures_are_read_as_on_the_board(tmp_path):
    for number, (mode, value) in enumerate([("RGBA", (10, 20, 30, 0)), ("I;16", 256), ("LA", (9, 255))]):
        picture(tmp_path / "mug" / f"{number}.png", value, mode=mode)
    images = read_image_tree(tmp_path, "all", PREPROCESSING)
    assert images.images[:, 0, 0].tolist() == [[255] * 3, [1] * 3, [9] * 3]
    assert np.array_equal(images.images, PREPROCESSING.apply(read_images([tmp_path]).images))


def test_what_macos_leaves_behind_is_no_picture(office):
    (office / "webcam" / "mug" / "._frame_0000.png").write_bytes(b"resource fork")
    (office / "webcam" / "__MACOSX" / "mug").mkdir(parents=True)
    assert len(read_image_tree(office / "webcam", "all", PREPROCESSING)) == 12


def test_unreadable_pictures_are_named(office):
    path = office / "webcam" / "mug" / "frame_0003.png"
    content = path.read_bytes()
    for broken in (b"", b"text", content[: len(content) // 2]):
        path.write_bytes(broken)
        with pytest.raises(UserError, match=r"frame_0003\.png .*image.*; replace or remove it"):
            read_image_tree(office / "webcam", "all", PREPROCESSING)


def test_decompression_bomb(tmp_path, monkeypatch):
    picture(tmp_path / "mug" / "large.png", 0, size=(64, 64), mode="L")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(UserError, match="decompression bomb"):
        read_image_tree(tmp_path, "all", PREPROCESSING)


def test_empty_places(tmp_path):
    with pytest.raises(UserError, match="nothing: no such folder"):
        list_domains(tmp_path / "nothing")
    with pytest.raises(UserError, match="must hold one folder per domain, but holds none"):
        list_domains(tmp_path)
    with pytest.raises(UserError, match="must hold one folder per class, but holds none"):
        read_image_tree(tmp_path, "all", PREPROCESSING)
    (tmp_path / "mug").mkdir()
    with pytest.raises(UserError, match=r"mug: holds no picture \(\.bmp, "):
        read_image_tree(tmp_path, "all", PREPROCESSING)
    picture(tmp_path / "mug" / "a.png", (1, 2, 3))
    with pytest.raises(UserError, match="no class has the 5 pictures that a test split needs; use the split all"):
        read_image_tree(tmp_path, "test", PREPROCESSING)
