"""Every network of the zoo is whole and small, and as good on its target's whole test set as it says, to the image."""

import json

import pytest
import torch

from brevitas_models.checkpoint import load_checkpoint, read_checkpoint
from brevitas_models.training.config import TrainingConfig, load_training_config
from brevitas_models.training.domains import image_values, load_test_images, network_preprocessing
from brevitas_models.training.epoch import EVALUATION_BATCH
from brevitas_models.zoo import load_entry, zoo_folder, zoo_names
from brevitas_models.zoo.entries import CONFIG_FILE, LARGEST_BYTES
from finn_flow.errors import UserError

ENTRIES = [load_entry(name) for name in zoo_names()]


def test_there_are_networks():
    assert ENTRIES
    assert any(entry.target == "usps" for entry in ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_network_is_whole_and_small(entry):
    folder = zoo_folder(f"zoo:{entry.name}")
    assert entry.size_bytes <= LARGEST_BYTES
    content = read_checkpoint(folder)
    config = load_training_config(folder / CONFIG_FILE)
    assert config == TrainingConfig.model_validate(content["details"]["training"])
    assert config.network == load_checkpoint(folder)[0]
    assert config.network.model_dump() == entry.network
    assert (config.source.name, config.target.name) == (entry.source, entry.target)
    assert content["details"]["accuracy"]["quantised"]["target"] == entry.accuracy
    assert len(content["class_names"]) == config.network.num_classes
    assert {path.name for path in folder.iterdir()} == {"checkpoint.pt", "config.json", "metrics.json"}
    assert json.dumps(entry.to_json())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_accuracy_on_the_whole_test_set_to_the_image(entry, request):
    config, network = load_checkpoint(zoo_folder(entry.name))
    training = load_training_config(zoo_folder(entry.name) / CONFIG_FILE)
    images = load_test_images(training.target, network_preprocessing(config), tuple("0123456789"))
    assert len(images) == len(request.getfixturevalue(entry.target)["test"])
    batches = torch.from_numpy(images.images).permute(0, 3, 1, 2).split(EVALUATION_BATCH)
    with torch.no_grad():
        found = torch.cat([network(image_values(batch)).argmax(dim=1) for batch in batches])
    right = int((found == torch.from_numpy(images.labels)).sum())
    assert right == round(entry.accuracy * len(images))
    assert right / len(images) == entry.accuracy


def test_a_name_that_is_none():
    names = ", ".join(zoo_names())
    for name in ("zoo:nothing", "../zoo", ""):
        with pytest.raises(UserError, match=f"no network of the zoo is called .*; use one of {names}"):
            zoo_folder(name)
