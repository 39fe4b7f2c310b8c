"""What a wheel of the project holds."""

import tomllib

import pytest
import yaml

import finn_flow
from tests.places import ROOT


@pytest.mark.parametrize("package", ["brevitas_models", "build_configs", "custom_ops", "finn_flow"])
def test_every_file_of_the_packages_is_packaged(package):
    """All that is no Python module matches a pattern of package data."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    files = [path for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert files
    assert not [path for path in files if not any(path.match(pattern) for pattern in ("*.py", *patterns))]


def test_the_container_file_copies_what_is_there_and_all_that_is_installed():
    lines = (ROOT / "Containerfile").read_text().splitlines()
    copied = {source for line in lines if line.startswith("COPY ") for source in line.split()[1:-1]}
    assert all((ROOT / source).exists() for source in copied)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = {pattern.removesuffix("*") for pattern in settings["packages"]["find"]["include"]}
    assert packages | {f"{name}.py" for name in settings["py-modules"]} <= copied


def test_the_workflow_runs_what_a_change_must_pass():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = workflow["jobs"]["check"]["steps"]
    assert steps[-1] == {"run": ".ci/run"}
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_the_version_has_its_entry_in_the_changelog():
    text = (ROOT / "CHANGELOG.md").read_text()
    assert f"## {finn_flow.__version__}" in text
