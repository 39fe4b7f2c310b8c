"""A small accelerator with writable parameters for tests: one ODE block of three channels on 8x6 images."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper

from brevitas_models.config import NetworkConfig
from brevitas_models.networks import ODENet
from brevitas_models.untrained import smooth_images, untrained_network
from finn_flow.deployment.driver.network import Network
from finn_flow.deployment.network_description import NetworkDescription
from finn_flow.export.network import Golden, make_golden
from finn_flow.export.qonnx import to_qonnx
from finn_flow.fifo_sizing.search import size_fifos
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.netlist import Netlist, write_netlist
from finn_flow.steps.adaptation import step_make_parameters_writable
from finn_flow.steps.frontend import step_lower_to_integers, step_roll_ode_blocks, step_select_labels
from finn_flow.steps.hardware import step_convert_to_hardware
from finn_flow.transformations.insert_width_converters import InsertWidthConverters
from finn_flow.transformations.name_nodes import NameNodes
from tests.finn_flow.netlist.one_block import CLOCK_NS, PART, fold

CONFIG = NetworkConfig(in_channels=1, image_size=[8, 6], channels=[3], iterations=[2])


@dataclass(frozen=True)
class Adaptive:
    """The build folder and what is in it; `images` are of other surroundings than the network was calibrated in."""

    folder: Path
    netlist: Netlist
    brevitas: ODENet
    network: Network
    golden: Golden
    images: np.ndarray


def hardware_graph(network: ODENet, writable: bool = True) -> ModelWrapper:
    """Return the unfolded hardware graph of a network."""
    ensure_finn()
    model = to_qonnx(network)
    steps = [step_roll_ode_blocks, step_lower_to_integers, step_select_labels, step_convert_to_hardware]
    for step in steps + [step_make_parameters_writable] * writable:
        model = step(model, None)
    return model


@cache
def adaptive() -> Adaptive:
    """Return the accelerator; made once per process."""
    folder = Path(tempfile.mkdtemp(prefix="adaptive_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    brevitas = untrained_network(CONFIG, seed=0)
    golden = make_golden(brevitas, smooth_images(CONFIG, 12, seed=1))
    golden.save(folder / "golden.npz")
    model = fold(hardware_graph(brevitas)).transform(InsertWidthConverters()).transform(NameNodes())
    sized, *_ = size_fifos(model, PART, CLOCK_NS)
    netlist = write_netlist(sized, folder / "rtl", PART, CLOCK_NS)
    (folder / "network.npz").write_bytes(NetworkDescription.of(netlist.graph()).to_bytes())
    images = 255 - smooth_images(CONFIG, 24, seed=2) // 2
    return Adaptive(folder, netlist, brevitas, Network.load(folder / "network.npz"), golden, images)
