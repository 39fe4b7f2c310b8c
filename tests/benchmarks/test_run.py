"""The list of benchmarks, and the command that runs them."""

import re
from pathlib import Path

import pytest

from benchmarks.run import BENCHMARKS, ROOT, main

FOLDER = ROOT / "benchmarks"


def test_unknown_names_are_refused(capsys):
    assert main(["loop_overhead", "nonsense"]) == 2
    error = capsys.readouterr().err
    assert "no benchmark is called nonsense" in error
    assert "loop_overhead" in error


@pytest.mark.parametrize("passes", [True, False])
def test_a_failure_is_reported_and_the_next_one_runs(passes, monkeypatch, tmp_path, capfd):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "first.py").write_text(f"raise SystemExit({0 if passes else 1})")
    (tmp_path / "benchmarks" / "second.py").write_text("print('it ran')")
    monkeypatch.setattr("benchmarks.run.ROOT", tmp_path)
    monkeypatch.setattr("benchmarks.run.BENCHMARKS", ["first", "second"])
    assert main([]) == int(not passes)
    captured = capfd.readouterr()
    assert "it ran" in captured.out
    assert ("failed: first" in captured.err) == (not passes)


def test_the_page_lists_every_benchmark():
    listed = re.findall(r"^\| `(\w+)`", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == BENCHMARKS
    assert all(Path(FOLDER / f"{name}.py").is_file() for name in listed)
