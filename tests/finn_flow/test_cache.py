from pathlib import Path

import pytest

from finn_flow.cache import cache_dir, cache_subdir
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
    with pytest.raises(UserError, match=r"cannot write .*file/data"):
        cache_subdir("data")
