"""Everything that reads a file which may come from a stranger, with a right file to damage."""

from __future__ import annotations

import copy
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
from PIL import Image
from qonnx.core.modelwrapper import ModelWrapper

from finn_flow.build_folder import BuildFolder
from finn_flow.finn_adapter.environment import ensure_finn
from tests.finn_flow.netlist.one_block import one_block
from tests.fuzz.mutations import damaged_bytes, damaged_json, damaged_model
from tests.places import BUILD_CONFIGS

Read = Callable[[Path], object]


@dataclass(frozen=True)
class Reader:
    """One reader.

    Parameters
    ----------
    name
        What it reads.
    file
        Name of the file, by which some readers know its kind.
    seeds
        Contents of right files: bytes, JSON values or models.
    read
        Reads the file at a path in a folder that holds nothing else, and uses what it says.
    """

    name: str
    file: str
    seeds: tuple[bytes | Any, ...]
    read: Read

    def damaged(self, random: Random) -> bytes:
        """Return a damaged file."""
        seed = random.choice(self.seeds)
        if isinstance(seed, onnx.ModelProto):
            return damaged_model(seed, random)
        return damaged_bytes(seed, random) if isinstance(seed, bytes) else damaged_json(seed, random)


def readers(folder: Path) -> list[Reader]:
    """Return all readers; what their right files are made from goes into `folder`."""
    ensure_finn()
    return [*_configurations(), *_trained(folder), *_models(folder), *_builds(folder), *_pictures(), *_data_sets()]


def _configurations() -> list[Reader]:
    from brevitas_models.config import load_network_config
    from brevitas_models.training.config import load_training_config
    from finn_flow.build import load_build_config

    network = {"in_channels": 1, "image_size": [8, 6], "channels": [3], "iterations": [2], "num_classes": 3}
    trainings = tuple(json.loads(path.read_text()) for path in sorted((BUILD_CONFIGS / "train").glob("*.json")))
    builds = tuple(json.loads(path.read_text()) for path in sorted(BUILD_CONFIGS.glob("*.json")))
    folding = {"Defaults": {"PE": [2, ["MVAU_rtl"]]}, "MVAU_rtl_0": {"PE": 1, "ram_style": "block"}}
    return [
        Reader("network configuration", "network.json", (network,), load_network_config),
        Reader("training configuration", "train.json", trainings, load_training_config),
        Reader("build configuration", "build.json", builds, load_build_config),
        Reader("build configuration in YAML", "build.yaml", builds, load_build_config),
        Reader("folding configuration", "folding.json", (folding,), _fold),
    ]


def _fold(path: Path) -> None:
    from finn_flow.folding.config import apply_folding_config, read_folding_config

    config = read_folding_config(path)
    apply_folding_config(copy.deepcopy(_hardware()), config)


@cache
def _hardware() -> ModelWrapper:
    from tests.finn_flow.folding.small_networks import small_hardware

    return small_hardware()


def _trained(folder: Path) -> list[Reader]:
    from brevitas_models.checkpoint import load_checkpoint, save_checkpoint
    from brevitas_models.config import NetworkConfig
    from brevitas_models.untrained import untrained_network

    config = NetworkConfig(in_channels=1, image_size=[4, 4], channels=[2], iterations=[2], num_classes=2)
    save_checkpoint(folder / "checkpoint.pt", untrained_network(config, seed=0), ("a", "b"), {})
    checkpoint = (folder / "checkpoint.pt").read_bytes()
    return [Reader("checkpoint", "checkpoint.pt", (checkpoint,), load_checkpoint)]


def _models(folder: Path) -> list[Reader]:
    """Models: damaged bytes, and right protobuf that says something wrong (`damaged_model`)."""
    from brevitas_models.untrained import untrained_network
    from finn_flow.build import prepare_model
    from finn_flow.export.qonnx import to_qonnx
    from tests.finn_flow.netlist.one_block import CONFIG

    to_qonnx(untrained_network(CONFIG, seed=0)).save(str(folder / "model.onnx"))
    model = onnx.load(folder / "model.onnx")

    def read(path: Path) -> None:
        prepare_model(path, folder / "prepared.onnx", roll=True)

    return [Reader("model", "model.onnx", (model,), read)]


def _builds(folder: Path) -> list[Reader]:
    from finn_flow.deployment.driver.manifest import Manifest
    from finn_flow.fifo_sizing.certificate import check_certificate
    from finn_flow.netlist import Netlist
    from finn_flow.report.collect import collect
    from finn_flow.simulation.golden import load_golden

    block = one_block()
    build = BuildFolder(block.copy(folder / "build"))
    certificate = json.loads(build.deadlock_certificate.read_text())
    netlist = json.loads((build.netlist / "netlist.json").read_text())
    golden = build.golden.read_bytes()

    def in_netlist(path: Path) -> None:
        shutil.copyfile(path, build.netlist / "netlist.json")
        Netlist.load(build.netlist)

    return [
        Reader("netlist", "netlist.json", (netlist,), in_netlist),
        Reader(
            "certificate",
            "certificate.json",
            (certificate,),
            lambda path: check_certificate(path, block.netlist),
        ),
        Reader("golden file", "golden.npz", (golden,), lambda path: load_golden(path, block.netlist)),
        *(_report(name, content, build, collect) for name, content in _reports(block).items()),
        Reader(
            "manifest", "manifest.json", ({"format": 1, "board": "ZCU104"},), lambda path: Manifest.load(path.parent)
        ),
    ]


def _reports(block: Any) -> dict[str, Any]:
    from finn_flow.estimates.network import estimate
    from tests.finn_flow.netlist.one_block import CLOCK_NS, PART

    return {
        "estimates.json": estimate(block.sized, CLOCK_NS, "ZCU104", PART),
        "fifo_sizing.json": block.sizes.to_json(),
        "build_config.json": {"board": "ZCU104", "synth_clk_period_ns": CLOCK_NS, "target_fps": 500_000},
    }


def _report(name: str, content: Any, build: BuildFolder, collect: Callable[[Path], Any]) -> Reader:
    from finn_flow.report.page import render

    def read(path: Path) -> None:
        build.reports.mkdir(exist_ok=True)
        for other, right in _reports(one_block()).items():
            (build.reports / other).write_text(json.dumps(right))
        shutil.copyfile(path, build.reports / name)
        render(collect(build.root))

    return Reader(f"report {name}", name, (content,), read)


def _pictures() -> list[Reader]:
    from finn_flow.deployment.driver.images import read_images

    image = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(8, 6))
    seeds = []
    for form in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "PPM"):
        buffer = io.BytesIO()
        image.save(buffer, form)
        seeds.append(buffer.getvalue())
    array = io.BytesIO()
    np.save(array, np.zeros((2, 8, 6, 1), np.uint8))
    return [
        Reader("picture", "picture.png", tuple(seeds), lambda path: read_images([path])),
        Reader("array of pictures", "pictures.npy", (array.getvalue(),), lambda path: read_images([path])),
    ]


def _data_sets() -> list[Reader]:
    from brevitas_models.data.idx import read_idx

    idx = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (2, 3, 4)) + bytes(24)
    return [Reader("IDX images", "images-idx3-ubyte", (idx,), lambda path: read_idx(path, 3))]
