"""Shipped configurations are known by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from finn_flow.cli.configurations import ConfigurationFile
from finn_flow.cli.group import main
from finn_flow.configurations import BUILDS, TRAININGS, shipped


def test_every_shipped_name_is_a_file() -> None:
    assert {"zcu104", "zcu104_estimates", "zcu104_bitfile"} <= set(shipped(BUILDS))
    assert "quick" in shipped(TRAININGS)
    for folder in (BUILDS, TRAININGS):
        for name in shipped(folder):
            assert ConfigurationFile(folder).convert(name, None, None) == folder / f"{name}.json"


def test_a_file_of_the_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("zcu104").touch()
    assert ConfigurationFile(BUILDS).convert("zcu104", None, None) == Path("zcu104")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "zcu105", "--model", "m.onnx"], "zcu105: neither a file nor one of zcu104, "),
        (["train", "slow"], "slow: neither a file nor one of "),
    ],
)
def test_other_names_are_refused(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--out", "x"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_names_are_completed() -> None:
    completed = ConfigurationFile(BUILDS).shell_complete(None, None, "zcu104_e")  # type: ignore[arg-type]
    assert [item.value for item in completed if item.type == "plain"] == ["zcu104_estimates"]
