"""Training of a tiny network on synthetic domains: it learns, it resumes exactly, and it refuses what is wrong."""

import json

import pytest
import torch

from brevitas_models.checkpoint import load_checkpoint
from brevitas_models.training import load_training_config, train
from brevitas_models.training.epoch import learning_rate
from finn_flow.errors import FlowError, UserError
from tests.brevitas_models.training.synthetic import CLASSES, use_textures, write_config

STEPS = 64


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def textures(monkeypatch):
    use_textures(monkeypatch)


@pytest.fixture
def config(tmp_path):
    return load_training_config(write_config(tmp_path / "config.json"))


def stop_at(step):
    def on_progress(what, done, total):
        assert total == STEPS
        if done == step:
            raise KeyboardInterrupt

    return on_progress


def test_it_learns_and_an_interrupted_training_ends_the_same(config, tmp_path):
    lines = []
    metrics = train(config, tmp_path / "whole", report=lines.append)
    assert metrics["accuracy"]["float"]["target"] > 0.9
    assert metrics["accuracy"]["quantised"]["target"] > 0.9
    assert [line.split(":")[0] for line in lines][:3] == ["source_only 1/2", "source_only 2/2", "float 1/3"]
    assert {path.name for path in (tmp_path / "whole").iterdir()} == {
        "checkpoint.pt",
        "curves.png",
        "float.pt",
        "metrics.json",
        "mistakes.png",
        "state.pt",
        "tensorboard",
    }
    assert json.loads((tmp_path / "whole" / "metrics.json").read_text()) == metrics

    # In the second epoch of the first phase, at the start of the second phase, and twice in the last one.
    for step in (10, 17, 30, 57):
        with pytest.raises(KeyboardInterrupt):
            train(config, tmp_path / "parts", on_progress=stop_at(step))
        assert not (tmp_path / "parts" / "checkpoint.pt").exists()
    resumed = train(config, tmp_path / "parts")
    assert resumed["history"] == metrics["history"]
    assert resumed["accuracy"] == metrics["accuracy"]
    assert resumed["confusion"] == metrics["confusion"]
    for phase, counts in metrics["confusion"].items():
        right = sum(row[index] for index, row in enumerate(counts))
        images = sum(map(sum, counts))
        assert images == metrics["test_images"]["target"]
        assert right / images == pytest.approx(metrics["accuracy"][phase]["target"])
    first, second = (load_checkpoint(tmp_path / name)[1].state_dict() for name in ("whole", "parts"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)

    again = train(config, tmp_path / "whole", report=lines.append)
    assert again == metrics
    assert "is complete" in lines[-1]


def test_checkpoint_of_a_finished_training(config, tmp_path):
    quick = config.model_copy(update={"steps_per_epoch": 1})
    metrics = train(quick, tmp_path / "run")
    network_config, network = load_checkpoint(tmp_path / "run" / "checkpoint.pt")
    assert network_config == quick.network
    assert not network.training
    content = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert content["class_names"] == list(CLASSES)
    assert content["details"]["accuracy"] == metrics["accuracy"]


def test_another_config_in_the_same_folder(config, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", on_progress=stop_at(10))
    other = config.model_copy(update={"seed": 1})
    with pytest.raises(UserError, match=r"holds a training with another config \(different: seed\); choose another"):
        train(other, tmp_path / "run")


@pytest.mark.parametrize("damage", ["truncated", "foreign", "text", "emptied"])
def test_a_damaged_state(config, tmp_path, damage):
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(config, folder, on_progress=stop_at(10))
    path = folder / "state.pt"
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "foreign":
        torch.save({"weight": torch.zeros(3)}, path)
    elif damage == "text":
        path.write_text("hello")
    else:
        torch.save({**torch.load(path, weights_only=True), "history": None}, path)
    with pytest.raises(UserError, match=r"state\.pt: .*; delete it to train from the start"):
        train(config, folder)


def test_a_loss_that_is_not_a_number(config, tmp_path):
    wild = config.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(FlowError, match=r"the loss became nan in phase source_only, epoch .*lower learning rate"):
        train(wild, tmp_path)


def test_more_classes_than_logits(config, tmp_path):
    network = config.network.model_copy(update={"num_classes": 3})
    with pytest.raises(UserError, match=r"`network.num_classes` must be 4 for mnist \(flat, rows, .*\), not 3"):
        train(config.model_copy(update={"network": network}), tmp_path)


def test_fewer_images_than_a_batch(config, tmp_path):
    with pytest.raises(UserError, match="`batch_size` must be at most the 256 training images of mnist, not 512"):
        train(config.model_copy(update={"batch_size": 512}), tmp_path)


def test_a_network_that_no_image_fits(config, tmp_path):
    network = config.network.model_copy(update={"in_channels": 2})
    with pytest.raises(UserError, match="`channels` must be 1"):
        train(config.model_copy(update={"network": network}), tmp_path)


def test_a_gpu_that_is_not_there(config, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="`device` is cuda, but PyTorch finds no GPU here"):
        train(config.model_copy(update={"device": "cuda"}), tmp_path)


def test_a_folder_that_is_a_file(config, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="must be a folder, not a file"):
        train(config, tmp_path / "file")


def test_learning_rate():
    assert learning_rate(0.1, 0.05) == pytest.approx(0.05)
    assert learning_rate(0.1, 0.1) == pytest.approx(0.1)
    assert learning_rate(0.1, 0.55) == pytest.approx(0.05)
    assert learning_rate(0.1, 1.0) == pytest.approx(0.0)
