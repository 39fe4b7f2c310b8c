"""A training shared by two processes learns, and goes on where it was when one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from brevitas_models.checkpoint import load_checkpoint
from brevitas_models.training import processes
from finn_flow.errors import UserError
from tests.brevitas_models.training.pictures import CLASSES, draw_domain
from tests.places import ROOT

DSODE = "import sys; from finn_flow.cli import main; sys.exit(main())"


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    """Return a training on pictures of 8 x 8 pixels, eight epochs of six steps."""
    folder = tmp_path_factory.mktemp("shared")
    draw_domain(folder / "light")
    draw_domain(folder / "dark", dark=True)
    content = {
        "network": {"in_channels": 1, "image_size": [8, 8], "channels": [8], "iterations": [2], "num_classes": 3},
        "source": {"name": "image-tree", "path": str(folder / "light")},
        "target": {"name": "image-tree", "path": str(folder / "dark")},
        "adaptation": [{"name": "coral"}],
        "source_only_epochs": 4,
        "float_epochs": 2,
        "quantised_epochs": 2,
        "steps_per_epoch": 6,
        "batch_size": 20,
        "learning_rate": 0.03,
    }
    (folder / "config.json").write_text(json.dumps(content))
    return folder / "config.json"


def start(config: Path, folder: Path, restarts: int) -> subprocess.Popen:
    """Start a training of two processes."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    options = ["--max-restarts", str(restarts), "--monitor-interval", "0.1", "--no-python"]
    command = [*torchrun, *options, sys.executable, "-c", DSODE, "train", str(config), "--out", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kill_one(torchrun: subprocess.Popen, state: Path) -> None:
    """Wait for a first state and kill the second of the training's processes."""
    while not state.is_file():
        assert torchrun.poll() is None
        time.sleep(0.05)
    workers = [child for child in psutil.Process(torchrun.pid).children() if child.environ().get("RANK") == "1"]
    workers[0].send_signal(signal.SIGKILL)


def finish(torchrun: subprocess.Popen) -> str:
    output, _ = torchrun.communicate(timeout=600)
    assert torchrun.returncode == 0, output
    return output


def test_two_processes_one_of_which_is_killed(config, tmp_path):
    whole = start(config, tmp_path / "whole", restarts=0)
    killed = start(config, tmp_path / "killed", restarts=1)
    kill_one(killed, tmp_path / "killed" / "state.pt")
    printed = finish(killed)
    assert "going on in phase " in printed
    finish(whole)
    metrics, again = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("whole", "killed"))
    assert again["history"] == metrics["history"]
    assert again["accuracy"] == metrics["accuracy"]
    assert len(metrics["history"]) == 8
    assert metrics["accuracy"]["source_only"]["source"] > 0.8
    first, second = (load_checkpoint(tmp_path / name)[1].state_dict() for name in ("whole", "killed"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.load(tmp_path / "whole" / "checkpoint.pt", weights_only=True)["class_names"] == list(CLASSES)


def test_one_process_alone():
    assert (processes.count(), processes.rank(), processes.device_index()) == (1, 0, 0)
    assert processes.from_first("state") == "state"
    assert processes.average({"loss": 1.5}, torch.device("cpu")) == {"loss": 1.5}
    indices = torch.arange(5)
    assert torch.equal(processes.share(indices), indices)


@pytest.mark.parametrize("batch_size", [2, 3, 21])
def test_a_batch_that_cannot_be_shared(batch_size, monkeypatch):
    monkeypatch.setattr(processes, "count", lambda: 2)
    with pytest.raises(UserError, match=f"must be a multiple of the 2 processes, at least 4, not {batch_size}"):
        processes.check_batch_size(batch_size)


def test_processes_share_a_batch(monkeypatch):
    monkeypatch.setattr(processes, "count", lambda: 2)
    parts = []
    for rank in range(2):
        monkeypatch.setattr(processes, "rank", lambda rank=rank: rank)
        parts.append(processes.share(torch.arange(6)).tolist())
    assert parts == [[0, 2, 4], [1, 3, 5]]
