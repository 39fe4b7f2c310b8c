import os
from pathlib import Path

import pytest

from finn_flow.cache import cache_dir, cache_subdir, check_private, is_whole, seal
from finn_flow.errors import UserError


def test_variable_chooses_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path / "here"))
    assert cache_dir() == tmp_path / "here"
    assert not (tmp_path / "here").exists()
    assert cache_subdir("data") == tmp_path / "here" / "data"
    assert (tmp_path / "here" / "data").is_dir()


def test_home_is_expanded_and_relative_made_absolute(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DSODE_CACHE", "~/cache")
    assert cache_dir() == tmp_path / "cache"
    monkeypatch.setenv("DSODE_CACHE", "cache")
    assert cache_dir() == Path.cwd() / "cache"


@pytest.mark.parametrize("empty", [None, ""])
def test_default_is_the_users_cache(monkeypatch, tmp_path, empty):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if empty is None:
        monkeypatch.delenv("DSODE_CACHE", raising=False)
    else:
        monkeypatch.setenv("DSODE_CACHE", empty)
    assert cache_dir() == tmp_path / "dsode"


def test_file_in_its_place(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot write .*file: "):
        cache_subdir("data")


@pytest.mark.parametrize("inner", [".", "data"])
@pytest.mark.parametrize("mode", [0o775, 0o777, 0o702, 0o1777])
def test_a_cache_that_others_can_write_to_is_refused(monkeypatch, tmp_path, inner, mode):
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path / "here"))
    cache_subdir("data")
    (tmp_path / "here" / inner).chmod(mode)
    with pytest.raises(UserError, match=r"other users can write to .*; run `chmod go-w .*`, or choose another place"):
        cache_subdir("data")
    (tmp_path / "here" / inner).chmod(0o755)
    cache_subdir("data")


def test_a_cache_of_another_user_is_refused():
    state = os.stat_result((0o40755, 1, 1, 1, 1000, 0, 0, 0, 0, 0))
    check_private(Path("x"), state, user=1000)
    with pytest.raises(UserError, match="x belongs to user 1000, whose programs would be run from it; choose another"):
        check_private(Path("x"), state, user=1001)


def test_the_cache_is_private_whatever_the_umask(monkeypatch, tmp_path):
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path / "here"))
    before = os.umask(0)
    try:
        cache_subdir("data")
    finally:
        os.umask(before)
    assert (tmp_path / "here").stat().st_mode & 0o777 == 0o700


def test_damage_to_a_sealed_folder_is_seen(tmp_path):
    assert not is_whole(tmp_path)
    (tmp_path / "inner").mkdir()
    path = tmp_path / "inner" / "file"
    path.write_bytes(b"content")
    path.chmod(0o666)
    seal(tmp_path)
    assert is_whole(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o644
    for damage in (b"conten", b"Content", b"content\0", b""):
        path.write_bytes(damage)
        assert not is_whole(tmp_path)
    path.write_bytes(b"content")
    assert is_whole(tmp_path)
    path.unlink()
    assert not is_whole(tmp_path)
    path.write_bytes(b"content")
    (tmp_path / "checksums.json").write_text("[")
    assert not is_whole(tmp_path)
