"""Two folders of a user's own pictures, all the way: trained, exported, built, packaged, read by the board's driver."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from brevitas_models.data import load_images
from brevitas_models.training.config import TrainingConfig
from brevitas_models.training.domains import load_domains, network_preprocessing
from finn_flow.cli import main
from finn_flow.deployment.driver.images import read_images
from finn_flow.errors import UserError
from tests.brevitas_models.training.pictures import CLASSES, draw_domain
from tests.places import BUILD_CONFIGS

BUILD_CONFIG = BUILD_CONFIGS / "zcu104.json"
CPU = torch.device("cpu")


def settings(source: Path, target: Path) -> dict:
    return {
        "network": {"in_channels": 1, "image_size": [8, 8], "channels": [3], "iterations": [2], "num_classes": 3},
        "source": {"name": "image-tree", "path": str(source)},
        "target": {"name": "image-tree", "path": str(target)},
        "adaptation": [{"name": "coral"}],
        "source_only_epochs": 1,
        "float_epochs": 1,
        "quantised_epochs": 1,
        "steps_per_epoch": 10,
        "batch_size": 20,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Holds the domains `light`, `dark` and, with fewer classes and with another one, `few` and `other`."""
    folder = tmp_path_factory.mktemp("pictures")
    draw_domain(folder / "light")
    draw_domain(folder / "dark", dark=True)
    draw_domain(folder / "few", CLASSES[1:], dark=True)
    draw_domain(folder / "other", ("cross", "dot", "edge"), dark=True)
    return folder


def test_from_pictures_to_the_package(folder, tmp_path, capsys):
    (tmp_path / "config.json").write_text(json.dumps(settings(folder / "light", folder / "dark")))
    run, build = tmp_path / "run", tmp_path / "build"
    assert main(["train", str(tmp_path / "config.json"), "--out", str(run)]) == 0
    assert main(["export", str(run), "--samples", "6", "--out", str(run / "model.onnx")]) == 0
    assert main(["build", str(BUILD_CONFIG), "--model", str(run / "model.onnx"), "--out", str(build)]) == 0
    for name in ("golden.npz", "golden.json"):
        shutil.copyfile(run / name, build / name)
    assert main(["package", str(build)]) == 0

    manifest = json.loads((build / "deploy" / "manifest.json").read_text())
    assert manifest["class_names"] == list(CLASSES)
    trained = json.loads((run / "metrics.json").read_text())
    assert manifest["expected"]["accuracy"] == trained["accuracy"]["quantised"]["target"]
    samples = json.loads((build / "deploy" / "samples" / "expected.json").read_text())["samples"]
    assert [sample["class"] for sample in samples] == [0, 1, 2, 0, 1, 2]
    # The board's driver makes the same codes of the pictures themselves: the test split is every fifth of a class.
    pictures = read_images(
        [
            folder / "dark" / name / f"{number:03}.{'jpg' if number % 3 == 0 else 'png'}"
            for number in (4, 9)
            for name in CLASSES
        ]
    ).images
    config = TrainingConfig.model_validate(settings(folder / "light", folder / "dark"))
    codes = network_preprocessing(config.network).apply(pictures)
    assert np.array_equal(codes, np.load(run / "golden.npz")["inputs"])


def test_classes_belong_together_by_name(folder):
    config = TrainingConfig.model_validate(settings(folder / "light", folder / "few"))
    domains = load_domains(config, CPU)
    assert domains.class_names == CLASSES
    # `few` numbers its own classes 0 and 1; here they are the source's 1 and 2.
    alone = load_images("image-tree", "test", network_preprocessing(config.network), folder / "few")
    assert sorted(set(alone.labels.tolist())) == [0, 1]
    assert domains.target_test.labels.tolist() == (alone.labels + 1).tolist()


def test_classes_that_the_source_does_not_have(folder):
    config = TrainingConfig.model_validate(settings(folder / "light", folder / "other"))
    message = r"other has classes that are not among bars, cross, dot: edge; domains need the same classes by name"
    with pytest.raises(UserError, match=message):
        load_domains(config, CPU)


@pytest.mark.parametrize("num_classes", [2, 10])
def test_another_number_of_classes_than_the_networks(folder, num_classes):
    content = settings(folder / "light", folder / "dark")
    content["network"]["num_classes"] = num_classes
    message = rf"`network.num_classes` must be 3 for image-tree \(bars, cross, dot\), not {num_classes}"
    with pytest.raises(UserError, match=message):
        load_domains(TrainingConfig.model_validate(content), CPU)


def test_a_folder_is_needed(folder, tmp_path):
    for dataset, message in (
        ({"name": "image-tree"}, "image-tree needs `path`, the folder of one domain"),
        ({"name": "image-tree", "path": str(tmp_path / "nothing")}, "nothing: no such folder"),
    ):
        content = {**settings(folder / "light", folder / "dark"), "target": dataset}
        config = TrainingConfig.model_validate(content)
        with pytest.raises(UserError, match=message):
            load_domains(config, CPU)
