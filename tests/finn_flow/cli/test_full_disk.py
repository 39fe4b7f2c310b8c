"""A disk that fills up in the middle of long work: one message that says where, nothing half written in its place."""

import errno
import json
import os
from pathlib import Path

import pytest

from finn_flow.cli.group import main
from tests.finn_flow.netlist.one_block import one_block
from tests.finn_flow.transformations.qonnx_graphs import ode_net
from tests.places import BUILD_CONFIGS

ESTIMATES = BUILD_CONFIGS / "zcu104_estimates.json"


@pytest.fixture
def full_below(monkeypatch):
    """Return a function after which no file can be written whose path contains a given part."""

    def fill(part: str) -> None:
        def refuse(method):
            def write(path: Path, *arguments, **options):
                if part in str(path):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
                return method(path, *arguments, **options)

            return write

        for name in ("write_text", "write_bytes"):
            monkeypatch.setattr(Path, name, refuse(getattr(Path, name)))

    return fill


def test_during_a_build(tmp_path: Path, full_below, capfd) -> None:
    ode_net((3, 2), state_output=False).save(str(tmp_path / "model.onnx"))
    full_below(str(tmp_path / "out" / "report" / ".estimates."))
    arguments = ["build", str(ESTIMATES), "--model", str(tmp_path / "model.onnx"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 1
    error = capfd.readouterr().err.splitlines()[-1]
    assert "step_report_estimates" in error
    assert "no space left" in error.lower()
    assert not (tmp_path / "out" / "report" / "estimates.json").exists()


def test_while_a_simulation_is_built_and_after_it(tmp_path: Path, monkeypatch, full_below, capfd) -> None:
    folder = one_block().copy(tmp_path / "build")
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path / "cache"))
    full_below(str(tmp_path / "cache"))
    assert main(["simulate", str(folder), "--frames", "3"]) == 1
    error = capfd.readouterr().err.splitlines()[-1]
    assert "no space left" in error
    assert str(tmp_path / "cache") in error
    monkeypatch.undo()
    assert main(["simulate", str(folder), "--frames", "3", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["mismatches"] == 0
