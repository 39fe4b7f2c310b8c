"""JSON files are read, or named in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from finn_flow.errors import UserError
from finn_flow.json_files import read_json, read_json_object, read_json_object_if_there


def test_what_is_there_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, "ß"]}', encoding="utf-8")
    assert read_json(path) == read_json_object(path) == read_json_object_if_there(path) == {"a": [1, "ß"]}
    assert read_json_object_if_there(tmp_path / "b.json") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not a JSON file: Expecting property name"),
        (b"\xff", "not a JSON file: 'utf-8' codec can't decode"),
        (b"[" * 100_000, "not a JSON file: maximum recursion depth"),
        (b"1" * 5_000, "not a JSON file: Exceeds the limit"),
        (b"[1]", "must hold a JSON object, not list"),
    ],
)
def test_damaged_files_are_named_in_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"^{path}: {message}") as raised:
        read_json_object(path)
    assert "\n" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^{tmp_path}: cannot be read: Is a directory$"):
        read_json(tmp_path)
