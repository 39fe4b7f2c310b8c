import numpy as np
import pytest
from PIL import Image

from brevitas_models.data.image_tree import list_domains, read_image_tree, read_picture
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
    assert images.labels.tolist() == [0] * 6 + [1] * 6
    assert images.images[:, 0, 0].tolist() == [[40, 20 * i, 200] for i in range(6)] + [
        [0, 20 * i, 200] for i in range(6)
    ]
    assert len(read_image_tree(office / "amazon", "all", PREPROCESSING)) == 12


def test_splits_are_disjoint_and_complete(office):
    parts = {split: read_image_tree(office / "webcam", split, PREPROCESSING) for split in ("train", "test", "all")}
    assert parts["test"].images[:, 0, 0, 1].tolist() == [80, 80]
    assert len(parts["train"]) == 10
    joined = np.concatenate([parts["train"].images, parts["test"].images])
    assert np.array_equal(np.unique(joined, axis=0), np.unique(parts["all"].images, axis=0))


def test_grey_palette_and_transparency(tmp_path):
    picture(tmp_path / "grey.png", 77, mode="L")
    assert np.array_equal(read_picture(tmp_path / "grey.png"), np.full((5, 8), 77))
    picture(tmp_path / "clear.png", (10, 20, 30, 0), mode="RGBA")
    assert np.array_equal(read_picture(tmp_path / "clear.png"), np.full((5, 8, 3), 255))
    Image.new("RGB", (8, 5), (10, 20, 30)).quantize(4).save(tmp_path / "palette.png")
    assert read_picture(tmp_path / "palette.png")[0, 0].tolist() == [10, 20, 30]


def test_unreadable_pictures_are_named(office):
    path = office / "webcam" / "mug" / "frame_0003.png"
    content = path.read_bytes()
    for broken in (b"", b"text", content[: len(content) // 2]):
        path.write_bytes(broken)
        with pytest.raises(UserError, match=r"frame_0003\.png: not a readable picture .*; replace or remove it"):
            read_image_tree(office / "webcam", "all", PREPROCESSING)
    with pytest.raises(UserError, match="no such file"):
        read_picture(office / "nothing.png")


def test_decompression_bomb(tmp_path, monkeypatch):
    picture(tmp_path / "large.png", 0, size=(64, 64), mode="L")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(UserError, match="decompression bomb"):
        read_picture(tmp_path / "large.png")


def test_empty_places(tmp_path):
    with pytest.raises(UserError, match="nothing: no such folder"):
        list_domains(tmp_path / "nothing")
    with pytest.raises(UserError, match="must hold one folder per domain, but holds none"):
        list_domains(tmp_path)
    with pytest.raises(UserError, match="must hold one folder per class, but holds none"):
        read_image_tree(tmp_path, "all", PREPROCESSING)
    (tmp_path / "mug").mkdir()
    with pytest.raises(UserError, match=r"mug: holds no picture \(\.jpg, "):
        read_image_tree(tmp_path, "all", PREPROCESSING)
    picture(tmp_path / "mug" / "a.png", (1, 2, 3))
    with pytest.raises(UserError, match="no class has the 5 pictures that a test split needs; use the split all"):
        read_image_tree(tmp_path, "test", PREPROCESSING)
