"""Builds with their reports, made once per process."""

from pathlib import Path

import pytest

from finn_flow.report.write import write_report
from tests.finn_flow.report.builds import estimated_build, full_build


@pytest.fixture(scope="session")
def full(tmp_path_factory) -> Path:
    """Return a build folder with everything that can be there."""
    folder = full_build(tmp_path_factory.mktemp("full"))
    write_report(folder)
    return folder


@pytest.fixture(scope="session")
def estimated(tmp_path_factory) -> Path:
    """Return a build folder of a larger network that ended with the estimates."""
    folder = estimated_build(tmp_path_factory.mktemp("estimated"))
    write_report(folder)
    return folder
