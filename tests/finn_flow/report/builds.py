"""Builds to report on: one with everything that the commands make, one that stopped at the estimates."""

from pathlib import Path

from brevitas_models.training.results import METRICS_FILE
from finn_flow.api.timeline import timeline
from finn_flow.build import build
from finn_flow.build_folder import BuildFolder
from finn_flow.estimates.network import estimate
from finn_flow.files import atomic_write_json
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.netlist import Netlist
from finn_flow.simulation.check import check_accelerator
from finn_flow.synthesis.report import NodeResources, SynthesisReport
from finn_flow.synthesis.resources import Resources
from finn_flow.timing.accelerator import NodePath
from finn_flow.timing.paths import Path as TimedPath
from finn_flow.timing.report import TimingReport
from finn_flow.verilator import Stall
from tests.finn_flow.netlist.one_block import CLOCK_NS, PART, one_block
from tests.finn_flow.transformations.qonnx_graphs import ode_net
from tests.places import BUILD_CONFIGS

BOARD = "ZCU104"


def full_build(folder: Path) -> Path:
    """Make a build in `folder` / "build" with netlist, simulations, synthesis, and a training around it."""
    block = one_block()
    place = block.copy(folder / "build")
    files = BuildFolder(place)
    estimates = estimate(block.sized, CLOCK_NS, BOARD, PART)
    atomic_write_json(files.estimates, estimates)
    atomic_write_json(files.fifo_sizing, block.sizes.to_json())
    atomic_write_json(files.configuration, {"board": BOARD, "synth_clk_period_ns": CLOCK_NS, "target_fps": 500_000})
    atomic_write_json(files.timing, TIMING.to_json())
    atomic_write_json(files.synthesis, synthesis(estimates, block.netlist).to_json())
    atomic_write_json(folder / METRICS_FILE, TRAINING)
    check_accelerator(place)
    check_accelerator(place, stall=Stall.random(0.3, 0.3, seed=1))
    timeline(place)
    return place


def synthesis(estimates: dict, netlist: Netlist) -> SynthesisReport:
    """Return a report of a synthesis that found a tenth more LUTs than estimated, and a flip-flop for each."""
    nodes = []
    for node in estimates["nodes"]:
        quick = node["resources"]
        luts = round(1.1 * quick["LUT"])
        found = Resources(luts, 0, 0, luts, 0, quick["DSP"], quick["BRAM36"], quick["URAM"])
        nodes.append(NodeResources(node["name"], node["op"], node["loop"], found, quick))
    return SynthesisReport(tuple(nodes))


def estimated_build(folder: Path) -> Path:
    """Make a build of three blocks in `folder` that ends with the estimates."""
    ensure_finn()
    model = folder / "model.onnx"
    ode_net((6, 12, 24), channels=8, size=8, state_output=False).save(str(model))
    return build(BUILD_CONFIGS / "zcu104_estimates.json", model, folder / "build", lambda line: None).folder


TIMING = TimingReport(
    (
        NodePath(
            "TopK_rtl_0", "TopK_rtl_0", TimedPath(3.217, "TopK_rtl_0.core.list_q (FDRE)", "TopK_rtl_0.core.left_q")
        ),
    ),
    {"TopK_rtl_0": 3.217},
    {"TopK_rtl_0.core.busy": 1234},
)
TRAINING = {
    "source": "mnist",
    "target": "usps",
    "accuracy": {
        "source_only": {"source": 0.96, "target": 0.70},
        "float": {"source": 0.91, "target": 0.95},
        "quantised": {"source": 0.90, "target": 0.954},
    },
    "adaptation": ["coral", "pseudo_labels"],
    "test_images": {"source": 10_000, "target": 4649},
    "confusion": {"source_only": [[3, 2], [1, 4]], "quantised": [[5, 0], [0, 5]]},
    "seconds": 100.0,
    "cpu_seconds": 100.0,
    "history": [
        {"phase": phase, "epoch": epoch, "losses": {}, "target_accuracy": accuracy}
        for phase, epoch, accuracy in (("source_only", 1, 0.70), ("float", 1, 0.95), ("quantised", 1, 0.954))
    ],
}
