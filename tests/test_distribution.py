"""What a wheel of the project holds."""

import tomllib

import pytest

from tests.places import ROOT


@pytest.mark.parametrize("package", ["brevitas_models", "build_configs", "custom_ops", "finn_flow"])
def test_every_file_of_the_packages_is_packaged(package):
    """All that is no Python module matches a pattern of package data."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    files = [path for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert files
    assert not [path for path in files if not any(path.match(pattern) for pattern in ("*.py", *patterns))]
