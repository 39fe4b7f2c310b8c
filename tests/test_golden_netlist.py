"""The golden chain's last link on real images: the netlist in Verilator gives Brevitas's labels and logits."""

from pathlib import Path

import numpy as np
import pytest
import torch

from brevitas_models.config import preset
from finn_flow.build import build
from finn_flow.build_folder import BuildFolder
from finn_flow.export.network import export_network
from finn_flow.netlist.netlist import Netlist
from finn_flow.simulation.accelerator import LOGITS, SimulatedAccelerator
from finn_flow.simulation.check import check_accelerator
from finn_flow.verilator import Stall
from tests.briefly_trained import briefly_trained, digit_codes
from tests.places import BUILD_CONFIGS
from tests.second_front_end import netlist_errors

CONFIG = BUILD_CONFIGS / "zcu104.json"
IMAGES = 100
SEEDS = (1, 2, 3)


def built(name: str, steps: int, folder: Path, mnist, usps) -> Path:
    """Return the build folder of a preset that was trained on real digits, with golden results for real USPS images."""
    torch.set_num_threads(1)
    config = preset(name)
    network = briefly_trained(config, mnist["train"], steps)
    codes = digit_codes(usps["test"], config, IMAGES)
    export_network(network, folder / "model.onnx", codes, usps["test"].labels[:IMAGES], {})
    build(CONFIG, folder / "model.onnx", folder / "build", lambda line: None)
    return folder / "build"


def stalls() -> list[Stall]:
    return [Stall.none(), *(Stall.random(0.3, 0.3, seed) for seed in SEEDS)]


@pytest.mark.parametrize(("name", "steps"), [("dsodenet-tiny", 20), ("dsodenet-small", 4)])
def test_exact_on_real_images_with_stalls_and_after_a_reset(name, steps, tmp_path, mnist, usps):
    folder = built(name, steps, tmp_path, mnist, usps)
    golden = tmp_path / "golden.npz"
    assert netlist_errors(Netlist.load(BuildFolder(folder).netlist), tmp_path) == ""
    for stall in stalls():
        result = check_accelerator(folder, golden, IMAGES, stall)
        assert (result.frames, result.mismatches) == (IMAGES, 0)

    codes = np.load(golden)["inputs"][:4]
    with SimulatedAccelerator(Netlist.load(BuildFolder(folder).netlist)) as accelerator:
        clean = accelerator.run(codes)
        again = accelerator.run(codes, reset_at_cycle=clean.first_frame_latency_cycles // 2)
    np.testing.assert_array_equal(again.results[LOGITS], clean.results[LOGITS])

    if name == "dsodenet-tiny":  # the soak: many frames back to back under random stalls
        result = check_accelerator(folder, golden, 1000, Stall.random(0.4, 0.4, seed=7))
        assert (result.frames, result.mismatches) == (1000, 0)
