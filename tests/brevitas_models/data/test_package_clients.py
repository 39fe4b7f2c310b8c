import io
import tarfile

import pytest

from brevitas_models.data.package_clients import extract
from brevitas_models.data.sources import SOURCES
from finn_flow.errors import FlowError
from tests.brevitas_models.data.registry import data_file, tar_gz

FILE = data_file("images", b"pixels")


def test_extracts_the_named_file_only(tmp_path):
    (tmp_path / "a").write_bytes(tar_gz({"package/data/images": b"pixels", "../outside": b"no", "package/data/x": b""}))
    extract(tmp_path / "a", FILE, tmp_path / "out" / "images")
    assert (tmp_path / "out" / "images").read_bytes() == b"pixels"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "out"]


def debian_package(members: dict[str, bytes]) -> bytes:
    def entry(name, content):
        return (
            f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
            + content
            + b"\n" * (len(content) % 2)
        )

    return b"!<arch>\n" + b"".join(entry(name, content) for name, content in members.items())


def test_reads_debian_packages(tmp_path):
    data = tar_gz({"package/data/images": b"pixels"})
    package = debian_package({"debian-binary": b"2.0\n", "control.tar.gz": b"odd", "data.tar.gz": data})
    (tmp_path / "a.deb").write_bytes(package)
    extract(tmp_path / "a.deb", FILE, tmp_path / "images")
    assert (tmp_path / "images").read_bytes() == b"pixels"
    (tmp_path / "a.deb").write_bytes(debian_package({"debian-binary": b"2.0\n"}))
    with pytest.raises(FlowError, match="no Debian package"):
        extract(tmp_path / "a.deb", FILE, tmp_path / "images")


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (tar_gz({"package/data/labels": b"pixels"}), "holds no package/data/images"),
        (tar_gz({"package/data/images": b"too long"}), "package/data/images is not a file of 6 bytes"),
        (tar_gz({"package/data/images": b"pixelS"}), "package/data/images: its sha256 is "),
        (tar_gz({"package/data/images": b"pixels" * 9999})[:60], "damaged"),
        (b"no archive", "damaged"),
        (b"", "damaged"),
    ],
    ids=lambda value: "content" if isinstance(value, bytes) else None,  # compressed bytes hold the time
)
def test_wrong_archives_leave_nothing(archive, message, tmp_path):
    (tmp_path / "a").write_bytes(archive)
    with pytest.raises(FlowError, match=message):
        extract(tmp_path / "a", FILE, tmp_path / "images")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "secret").write_bytes(b"pixels")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        link = tarfile.TarInfo("package/data/images")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        tar.addfile(link)
    (tmp_path / "a").write_bytes(buffer.getvalue())
    with pytest.raises(FlowError, match="is not a file of 6 bytes"):
        extract(tmp_path / "a", FILE, tmp_path / "images")


def test_every_source_is_well_described():
    for name, source in SOURCES.items():
        assert source.name == name
        for file in source.files:
            assert "/" not in file.name
            assert len(file.sha256) == len(source.package.sha256) == 64
