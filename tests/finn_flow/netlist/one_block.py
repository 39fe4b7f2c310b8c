"""A small accelerator for tests: one ODE block of three channels on 8x6 images, written as a build would write it."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp

from brevitas_models.config import NetworkConfig
from brevitas_models.untrained import smooth_images, untrained_network
from finn_flow.build_folder import BuildFolder
from finn_flow.export.network import Golden, make_golden
from finn_flow.export.qonnx import to_qonnx
from finn_flow.fifo_sizing.certificate import Certificate
from finn_flow.fifo_sizing.search import size_fifos
from finn_flow.fifo_sizing.sizes import FIFOSizes
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.netlist import Netlist, write_netlist
from finn_flow.steps.frontend import step_lower_to_integers, step_roll_ode_blocks, step_select_labels
from finn_flow.transformations.bodies import change_bodies
from finn_flow.transformations.convert_to_hardware import ConvertToHardware
from finn_flow.transformations.insert_forks import InsertForks
from finn_flow.transformations.insert_width_converters import InsertWidthConverters
from finn_flow.transformations.name_nodes import NameNodes

PART = "xczu7ev-ffvc1156-2-e"
CLOCK_NS = 5.0
CONFIG = NetworkConfig(in_channels=1, image_size=[8, 6], channels=[3], iterations=[2])
FRAMES = 40


@dataclass(frozen=True)
class OneBlock:
    """The build folder and what is in it.

    Parameters
    ----------
    folder
        With `rtl/` and `golden.npz`.
    netlist
        That of `rtl/`.
    folded
        The hardware graph without FIFOs.
    sized
        The same with FIFOs, as it was written.
    sizes
        What FIFO sizing found.
    certificate
        That the FIFOs are deep enough.
    golden
        Images and logits of Brevitas.
    """

    folder: Path
    netlist: Netlist
    folded: ModelWrapper
    sized: ModelWrapper
    sizes: FIFOSizes
    certificate: Certificate
    golden: Golden

    def copy(self, folder: Path) -> Path:
        """Copy the build to `folder`, which must not exist, and return it."""
        return Path(shutil.copytree(self.folder, folder))


def fold(model: ModelWrapper) -> ModelWrapper:
    """Give every matrix-vector unit all its inputs at once, so that it gives a result per cycle; windows as well."""
    change_bodies(model, fold)
    for node in model.get_nodes_by_op_type("ConvolutionInputGenerator_rtl"):
        getCustomOp(node).set_nodeattr("parallel_window", 1)
    for node in model.get_nodes_by_op_type("MVAU_rtl"):
        instance = getCustomOp(node)
        instance.set_nodeattr("SIMD", instance.get_nodeattr("MW"))
    return model


@cache
def one_block() -> OneBlock:
    """Return the accelerator; made once per process."""
    ensure_finn()
    folder = Path(tempfile.mkdtemp(prefix="one_block_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    network = untrained_network(CONFIG, seed=0)
    golden = make_golden(network, smooth_images(CONFIG, FRAMES, seed=1))
    golden.save(folder / "golden.npz")
    model = to_qonnx(network)
    for step in (step_roll_ode_blocks, step_lower_to_integers, step_select_labels):
        model = step(model, None)
    model = model.transform(ConvertToHardware()).transform(InsertForks()).transform(NameNodes())
    folded = fold(model).transform(InsertWidthConverters()).transform(NameNodes())
    sized, sizes, certificate = size_fifos(folded, PART, CLOCK_NS)
    netlist = write_netlist(sized, folder / "rtl", PART, CLOCK_NS)
    (folder / "report").mkdir()
    certificate.save(BuildFolder(folder).deadlock_certificate)
    return OneBlock(folder, netlist, folded, sized, sizes, certificate, golden)
