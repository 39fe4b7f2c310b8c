"""A network that gives values, on the simulated board: the driver gives what Brevitas gives."""

import json

import numpy as np
import pytest

from finn_flow.build_folder import BuildFolder
from finn_flow.cli.group import main
from finn_flow.deployment.package import make_package
from tests.byo.cases import CASES
from tests.byo.run import build_case


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Return the build of a network whose user left the selection of labels out, and its golden results."""
    folder = tmp_path_factory.mktemp("values")
    build_case(CASES["logits"], folder)
    make_package(folder / "build", folder / "golden.npz")
    return folder / "build", np.load(folder / "golden.npz")


def test_its_samples_are_validated(build, capfd) -> None:
    assert main(["board", str(build[0]), "validate"]) == 0
    assert "passed: 12 images" in capfd.readouterr().out


def test_its_values_are_printed(build, capfd) -> None:
    samples = BuildFolder(build[0]).package / "samples"
    pictures = [str(samples / f"{number:04d}.png") for number in (2, 7)]
    assert main(["board", str(build[0]), "classify", "--json", *pictures]) == 0
    found = [np.ravel(image["values"]) for image in json.loads(capfd.readouterr().out)["images"]]
    np.testing.assert_allclose(found, build[1]["logits"][[2, 7]], rtol=1e-5, atol=1e-7)  # float32 of the network


def test_a_labelled_set_needs_classes(build, tmp_path, capfd) -> None:
    np.savez(tmp_path / "set.npz", images=build[1]["inputs"], labels=np.zeros(12, np.int64))
    assert main(["board", str(build[0]), "validate", "--data", str(tmp_path / "set.npz"), "--expect", "0.5"]) == 2
    assert "this network gives values, not classes" in capfd.readouterr().err
