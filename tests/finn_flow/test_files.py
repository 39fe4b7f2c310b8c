import errno
import fcntl
import json
import os
import shutil
import threading

import pytest

from finn_flow import files
from finn_flow.errors import FlowError, UserError
from finn_flow.files import (
    atomic_path,
    atomic_write_bytes,
    atomic_write_json,
    check_writable_dir,
    disk_errors,
    locked,
    replace_together,
)
from tests.killed import killed_at_each_operation


def test_writes_and_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "new" / "value.json"
    atomic_write_json(path, {"a": [1, 2]})
    atomic_write_json(path, {"a": 3})
    assert json.loads(path.read_text()) == {"a": 3}
    assert [entry.name for entry in path.parent.iterdir()] == ["value.json"]


def test_file_gets_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_text("")
    atomic_write_bytes(tmp_path / "atomic", b"x")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "weights.npz"
    atomic_write_bytes(path, b"old")
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as temporary:
        assert temporary.suffix == ".npz"
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_full_disk_names_the_path(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FlowError, match=r"no space left on the disk while writing .*out\.bin; free some space"):
        atomic_write_bytes(tmp_path / "out.bin", b"x")
    assert list(tmp_path.iterdir()) == []


def test_unwritable_place_is_the_users_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*file/sub/out: Not a directory; choose another place"):
        atomic_write_bytes(tmp_path / "file" / "sub" / "out", b"x")
    with pytest.raises(UserError, match=r"file must be a folder, not a file"):
        check_writable_dir(tmp_path / "file")
    with pytest.raises(UserError, match=r"cannot write /proc/sub"):
        check_writable_dir("/proc/sub")


def test_other_errors_pass_through(tmp_path):
    with pytest.raises(OSError, match="Input/output"), disk_errors(tmp_path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_check_writable_dir_creates_it(tmp_path):
    assert check_writable_dir(tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_lock_keeps_others_out(tmp_path):
    path = tmp_path / ".lock"
    with locked(path), path.open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_lock_waits_for_its_holder(tmp_path):
    path = tmp_path / ".lock"
    entered = threading.Event()

    def enter():
        with locked(path):
            entered.set()

    thread = threading.Thread(target=enter)
    with path.open("a") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(10)
    thread.join()


@pytest.mark.parametrize("system_exchanges", [True, False])
def test_what_is_replaced_together_is_never_old_beside_new(tmp_path, monkeypatch, system_exchanges):
    if not system_exchanges:
        monkeypatch.setattr(files, "_RENAME_EXCHANGE", 1 << 30)  # the system refuses
    target, note = tmp_path / "folder", tmp_path / "note"
    sources = tmp_path / "new_folder", tmp_path / "new_note"

    def write(folder, note, text):
        folder.mkdir(exist_ok=True)
        for name in ("a", "b"):
            (folder / name).write_text(text)
        note.write_text(text)

    def replace():
        write(*sources, "new")
        replace_together([(sources[0], target), (sources[1], note)])

    seen = set()
    for _ in killed_at_each_operation(replace):
        found = {path.read_text() for path in target.iterdir()} if target.exists() else set()
        assert len(found) == 1 or not system_exchanges
        seen |= found
        if note.exists():
            assert {note.read_text()} == found
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        write(target, note, "old")
    assert seen == {"old", "new"}
    replace()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "note"]
