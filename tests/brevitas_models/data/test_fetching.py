import os
import shutil
import threading
from types import SimpleNamespace

import pytest

from brevitas_models.data import fetching
from brevitas_models.data.fetching import fetch, fetched_dir, file_states
from finn_flow.cache import cache_dir
from finn_flow.errors import FlowError, UserError
from tests.brevitas_models.data.registry import CONTENT, Registry, tar_gz


@pytest.fixture
def registry(monkeypatch, tmp_path):
    registry = Registry(tmp_path)
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{registry.bin}{os.pathsep}/bin")
    monkeypatch.setattr(fetching, "SOURCES", {"toy": registry.source})
    return registry


def left_in_cache():
    return sorted(path.name for path in (cache_dir() / "data").iterdir() if path.name != ".toy.lock")


def test_fetches_once_and_reports(registry):
    lines = []
    folder = fetch("toy", lines.append)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT
    assert left_in_cache() == ["toy"]
    assert lines[0] == "toy: downloading toy-data 1.0.0 (npm), 0.0 MB"
    assert lines[1] == "toy: images, 0.0 MB, sha256 verified"
    assert lines[-1] == f"toy: ready in {folder}"
    assert fetch("toy", lines.append) == folder
    assert lines[-1] == f"toy: already in {folder}"
    assert len(registry.calls) == 1
    assert registry.calls[0].startswith("pack toy-data@1.0.0 --pack-destination ")
    assert "--ignore-scripts" in registry.calls[0]
    assert fetched_dir("toy") == folder


def test_missing_and_corrupt_files_are_named_and_replaced(registry):
    with pytest.raises(
        UserError, match=r"toy: .*cache/data/toy/images is not in the cache; run `dsode data fetch toy`"
    ):
        fetched_dir("toy")
    folder = fetch("toy")
    (folder / "labels").write_bytes(b"9876543210")
    assert file_states(registry.source) == {"images": "present", "labels": "corrupt"}
    with pytest.raises(UserError, match=r"labels is corrupt \(its sha256 is wrong\); run `dsode data fetch toy`"):
        fetched_dir("toy")
    untouched = (folder / "images").stat().st_ino
    lines = []
    fetch("toy", lines.append)
    assert lines[0] == f"toy: {folder / 'labels'} is corrupt and will be replaced"
    assert (folder / "labels").read_bytes() == CONTENT["labels"]
    assert (folder / "images").stat().st_ino == untouched


def test_goes_on_after_an_interrupt(registry):
    def interrupt(line):
        if "images" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("toy", interrupt)
    assert file_states(registry.source) == {"images": "present", "labels": "missing"}
    lines = []
    fetch("toy", lines.append)
    assert len(registry.calls) == 1
    assert lines[0] == "toy: going on with the archive downloaded before"
    assert left_in_cache() == ["toy"]


def test_half_an_archive_is_downloaded_again(registry):
    fetch("toy")
    (cache_dir() / "data" / "toy" / "images").unlink()
    (cache_dir() / "data" / ".toy.archive").write_bytes(registry.archive.read_bytes()[:100])
    fetch("toy")
    assert len(registry.calls) == 2
    assert file_states(registry.source) == {"images": "present", "labels": "present"}


def test_several_at_once_download_once(registry):
    threads = [threading.Thread(target=fetch, args=("toy",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(registry.calls) == 1
    assert file_states(registry.source) == {"images": "present", "labels": "present"}


def test_another_archive_is_refused(registry):
    registry.serve(tar_gz({"package/data/images": b"other"}))
    with pytest.raises(FlowError, match=r"toy-data 1\.0\.0 \(npm\): the archive's sha256 is [0-9a-f]{64}, not "):
        fetch("toy")
    assert left_in_cache() == []


def test_failing_client(registry):
    registry.fail()
    message = r"toy-data 1\.0\.0 \(npm\) cannot be downloaded; check the network and try again: npm error network"
    with pytest.raises(FlowError, match=message):
        fetch("toy")


def test_missing_client(registry, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(FlowError, match=r"npm is not installed, and toy-data .* install npm first"):
        fetch("toy")


def test_client_without_a_result(registry):
    (registry.bin / "npm").write_text("#!/bin/sh\n")
    with pytest.raises(FlowError, match="npm left 0 archives for toy-data"):
        fetch("toy")


def test_full_disk_is_noticed_before_the_download(registry, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=6000))
    with pytest.raises(
        FlowError, match=r"no space left on the disk: toy needs 0\.0 MB in .*cache/data, 0\.0 MB are free"
    ):
        fetch("toy")
    assert registry.calls == []


def test_unknown_name(registry):
    with pytest.raises(UserError, match="no data set is called 'tyo'; choose from toy"):
        fetch("tyo")


def test_cache_in_an_impossible_place(registry, monkeypatch, tmp_path):
    monkeypatch.setenv("DSODE_CACHE", str(registry.archive))
    with pytest.raises(UserError, match=r"cannot write .*archive\.tgz"):
        fetch("toy")
