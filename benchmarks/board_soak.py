"""Many frames through the driver on the simulated board, with random DMA pauses: nothing lost, nothing reordered.

`python -m benchmarks.board_soak [BUILD] [--frames 10000] [--stall 0.3] [--json]`, BUILD with a package (`dsode
package`); by default an untrained dsodenet-tiny is built and packaged. The expected classes are what the hardware graph
gives in Python.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.accelerators import build_untrained
from brevitas_models.config import preset
from finn_flow.build_folder import BuildFolder
from finn_flow.deployment.driver.accelerator import Accelerator
from finn_flow.deployment.package import make_package
from finn_flow.deployment.simulated_board import SimulatedBoard
from finn_flow.deployment.simulated_board.board import PYNQ_FOLDER
from finn_flow.execution import execute_hardware
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.netlist.netlist import Netlist

TINY_CYCLES = 3000


def packaged_tiny(folder: Path) -> Path:
    """Build and package the smallest preset, folded for few cycles."""
    build = build_untrained(preset("dsodenet-tiny"), folder, TINY_CYCLES)
    make_package(build)
    return build


def soak(build: Path, frames: int, stall: float, seed: int) -> dict[str, Any]:
    """Send `frames` random images in one call; returns counts and times."""
    ensure_finn()
    from qonnx.core.modelwrapper import ModelWrapper

    netlist = Netlist.load(BuildFolder(build).netlist)
    (source,) = netlist.inputs.values()
    images = np.random.default_rng(seed).integers(0, 256, (frames, *source.shape[1:]), dtype=np.uint8)
    expected = execute_hardware(ModelWrapper(str(BuildFolder(build).graph)), images)["labels"]
    sys.path.insert(0, str(PYNQ_FOLDER))
    from finn_flow.deployment.driver.manifest import Manifest

    number = Manifest.load(BuildFolder(build).package).build_id
    with SimulatedBoard(netlist, number, stall, seed) as board, tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "lock"
        with Accelerator(BuildFolder(build).package, board.bitfile, timeout_s=600, lock_file=lock) as accelerator:
            started = time.perf_counter()
            found = accelerator.classify(images)[:, 0]
            seconds = time.perf_counter() - started
            timing = accelerator.timing
        cycles = board.logic.cycles
    return {
        "frames": frames,
        "stall": stall,
        "mismatches": int(np.sum(found != expected)),
        "classes_seen": len(np.unique(expected)),
        "seconds": seconds,
        "simulated_cycles": cycles,
        "host_us_per_frame": (timing.preprocess + timing.pack + timing.unpack) / frames * 1e6,
    }


def main() -> int:
    """Command line; exit status 1 if any frame differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, nargs="?")
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--stall", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build = options.build or packaged_tiny(Path(folder))
        result = soak(build, options.frames, options.stall, options.seed)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name.replace('_', ' ')}: {value:,.6g}")
    return int(result["mismatches"] != 0)


if __name__ == "__main__":
    sys.exit(main())
