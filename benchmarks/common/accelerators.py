"""Accelerators to measure: untrained networks through the real flow, simulated against Brevitas's logits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brevitas_models.config import NetworkConfig
from brevitas_models.untrained import smooth_images, untrained_network
from finn_flow.build import build
from finn_flow.build_folder import GOLDEN_FILE, BuildFolder
from finn_flow.errors import FlowError
from finn_flow.export.network import export_network
from finn_flow.files import atomic_write_json
from finn_flow.netlist.netlist import Netlist
from finn_flow.simulation.accelerator import LOGITS, AcceleratorRun, SimulatedAccelerator
from finn_flow.simulation.golden import load_golden

CLOCK_MHZ = 200
CONFIG = Path(__file__).parents[2] / "build_configs" / "zcu104.json"
MODEL_FILE = "model.onnx"
BUILD_FOLDER = "build"
SAMPLES = 32


def build_untrained(
    config: NetworkConfig,
    folder: Path,
    cycles_per_frame: int | None = None,
    steps: Sequence[str] | None = None,
    build_config: Path = CONFIG,
) -> Path:
    """Build a calibrated random network (seed 0) and return the build's folder.

    Parameters
    ----------
    folder
        Receives the exported model, golden results of `SAMPLES` random images, and the build.
    cycles_per_frame
        Instead of the configuration's frame rate.
    steps
        Instead of the configuration's.
    build_config
        By default build_configs/zcu104.json.
    """
    model = folder / MODEL_FILE
    export_network(untrained_network(config, seed=0), model, smooth_images(config, SAMPLES, seed=1), None, {})
    settings = json.loads(build_config.read_text())
    if cycles_per_frame is not None:
        settings["target_fps"] = CLOCK_MHZ * 10**6 // cycles_per_frame
    if steps is not None:
        settings["steps"] = list(steps)
    atomic_write_json(folder / build_config.name, settings)
    return build(folder / build_config.name, model, folder / BUILD_FOLDER, lambda line: None).folder


def simulate_exactly(built: Path, frames: int) -> AcceleratorRun:
    """Simulate golden frames, back to back, through a build of `build_untrained`.

    Raises
    ------
    FlowError
        A logit differs from Brevitas's.
    """
    netlist = Netlist.load(BuildFolder(built).netlist)
    golden = load_golden(built.parent / GOLDEN_FILE, netlist).first(frames)
    with SimulatedAccelerator(netlist) as accelerator:
        run = accelerator.run(golden.frames)
    assert golden.logits is not None
    wrong = int(np.count_nonzero(run.results[LOGITS] != golden.logits))
    if wrong:
        raise FlowError(f"{built}: {wrong} of {golden.logits.size} logits differ from Brevitas's")
    return run


def report(built: Path, name: str) -> Any:
    """Return a JSON file of the build's report folder."""
    return json.loads((BuildFolder(built).reports / name).read_text())
