"""What the driver opens as root on a board: nothing runs, nothing hangs, memory is bounded, every error is one line."""

import io
import os
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from finn_flow.deployment.driver import files
from finn_flow.deployment.driver.errors import InputError
from finn_flow.deployment.driver.images import FORMATS, read_images
from finn_flow.deployment.driver.preprocessing import Preprocessing
from tests.finn_flow.deployment.driver.damage import damaged_files, whole_files

MIB = 1 << 20


def refused(path) -> str:
    """Return the message with which a path is refused: one line."""
    with pytest.raises(InputError) as caught:
        read_images([path])
    message = str(caught.value)
    assert message.isprintable()
    return message


def archive_of(path, name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, content)
    return path


def array_file(path, header: str, data: bytes = b""):
    text = header.encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data)
    return path


def test_whole_files_are_read(tmp_path):
    for name, content in whole_files().items():
        (tmp_path / name).write_bytes(content)
        if name in ("z12.zip", "z14.zip"):
            assert "not packed by deflation; pack it again" in refused(tmp_path / name)
        else:
            assert read_images([tmp_path / name]).images


def test_damaged_files_are_read_or_refused_in_one_line(tmp_path):
    """1,300 of them; the seed makes them the same in every run."""
    outcomes = {"read": 0, "refused": 0}
    for name, content in damaged_files(1300, seed=1):
        path = tmp_path / name
        path.write_bytes(content)
        try:
            assert all(image.dtype == np.uint8 for image in read_images([path]).images)
            outcomes["read"] += 1
        except InputError as error:
            assert str(error).isprintable()
            outcomes["refused"] += 1
        path.unlink()
    assert min(outcomes.values()) > 150


@pytest.mark.parametrize("kind", sorted({"EPS", "PDF", "ICO", "TGA", "PCX", "SGI", "JPEG2000", "MSP", "SPIDER"}))
def test_other_formats_are_none_whatever_they_are_called(tmp_path, kind):
    """Pillow hands EPS to Ghostscript, a whole PostScript interpreter."""
    assert kind not in FORMATS
    stream = io.BytesIO()
    mode = {"MSP": "1", "SPIDER": "F"}.get(kind, "L")
    Image.new(mode, (64, 64)).save(stream, kind)
    (tmp_path / "x.png").write_bytes(stream.getvalue())
    assert "x.png is no image of a known format (PNG, " in refused(tmp_path / "x.png")
    assert "y.png is no image" in refused(archive_of(tmp_path / "x.zip", "y.png", stream.getvalue()))


def test_pipes_devices_and_sockets_are_refused_at_once(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("x.png", "x.zip", "x.npy", "x.npz"):
        os.mkfifo(tmp_path / name)
        assert refused(tmp_path / name) == f"{tmp_path / name} is no regular file"
        (folder / f"link_{name}").symlink_to("/dev/zero")
    assert refused(folder / "link_x.png").endswith("is no regular file")
    assert refused(folder).endswith("is no regular file")


def test_large_pictures_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    """A page of zeros packs well."""
    monkeypatch.setattr(files, "MOST_IMAGE_BYTES", MIB)
    Image.new("L", (600, 600)).save(tmp_path / "1.png")
    assert "needs 1,080,000 bytes in memory, but of the 1,048,576" in refused(tmp_path / "1.png")
    (tmp_path / "1.png").unlink()
    for number in range(5):
        Image.new("L", (300, 300)).save(tmp_path / f"{number}.png")
    assert "3.png needs 270,000 bytes in memory" in refused(tmp_path)
    small = read_images([tmp_path], Preprocessing((8, 6), 1))
    assert [image.shape for image in small.images] == [(8, 6, 1)] * 5


def test_arrays_count_too(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_IMAGE_BYTES", MIB)
    np.savez_compressed(tmp_path / "x.npz", images=np.zeros((2000, 24, 24), np.uint8))
    assert "x.npz:images.npy needs 1,152,000 bytes" in refused(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ((10**15, 8, 6), "|u1", r"is not that of 48 bytes of data"),
        ((10**15, 0, 6), "|u1", r"is not that of 48 bytes of data"),
        ((-1, -8, 6), "|u1", r"is not that of 48 bytes of data"),
        ((2**62, 4, 1), "|u1", r"is not that of 48 bytes of data"),
        ((1, 8, 6), "|O", "its elements are object, not numbers"),
        ((1, 8, 6), "|V1", "its elements are |V1, not numbers"),
        ((1, 8, 6), "<M8[s]", "its elements are datetime64[s], not numbers"),
        ((1, 8, 6), "(" * 3000, "x.npy cannot be read: "),
        ((6, 8), "<f8", "is not that of 48 bytes of data"),
    ],
)
def test_forged_headers(tmp_path, shape, dtype, message):
    header = str({"descr": dtype, "fortran_order": False, "shape": shape})
    assert message in refused(array_file(tmp_path / "x.npy", header, bytes(48)))


@pytest.mark.parametrize("header", ["", "{", "(" * 5000, "-" * 9000 + "1", "{'descr': " * 900, "9" * 9000, "\0", "é"])
def test_headers_that_are_none(tmp_path, header):
    assert "x.npy cannot be read: " in refused(array_file(tmp_path / "x.npy", header))


def test_a_header_without_end(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 31) + b"{")
    assert "its header is too long" in refused(tmp_path / "x.npy")


def test_archives_of_arrays_hold_arrays_only(tmp_path):
    path = archive_of(tmp_path / "x.npz", "../../run me.py", b"print()")
    assert "it holds ../../run me.py, which is no array" in refused(path)


def test_names_are_printed_without_control_characters(tmp_path):
    path = archive_of(tmp_path / "x.zip", "\x1b[2Ja\nb.png", b"no image")
    assert f"{path}:\\x1b[2Ja\\nb.png is no image" in refused(path)
    (tmp_path / os.fsdecode(b"\xff.png")).write_bytes(whole_files()["0.png"])
    assert read_images([tmp_path / os.fsdecode(b"\xff.png")]).names == [f"{tmp_path}/\\udcff.png"]


def test_paths_that_are_none(tmp_path):
    assert "File name too long" in refused(tmp_path / ("x" * 5000))
    assert "no name of a file" in refused(tmp_path / "\0.png")
    (tmp_path / "x.png").symlink_to("x.png")
    assert "Too many levels of symbolic links" in refused(tmp_path / "x.png")
