"""Share of a build that goes into its proof: `python -m benchmarks.proof_cost [PRESET] [--json]`.

Builds an untrained network with build_configs/zcu104.json, and prints the seconds of the whole build, of the proof and
their ratio. A build compares the model as given with the integers and the hardware graph; at
most 25 % of the build of `dsodenet-small` may go into that.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from brevitas_models.config import PRESETS, preset
from brevitas_models.untrained import untrained_network
from finn_flow.build import build
from finn_flow.build_folder import BuildFolder
from finn_flow.export.qonnx import to_qonnx

CONFIG = Path(__file__).parent.parent / "build_configs" / "zcu104.json"
LIMIT = 0.25


@dataclass(frozen=True)
class ProofCost:
    """Seconds of a build and of the proof in it, and the proof's share."""

    preset: str
    build_seconds: float
    proof_seconds: float
    share: float


def measure(name: str) -> ProofCost:
    """Export and build a preset."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = folder / "model.onnx"
        to_qonnx(untrained_network(preset(name), seed=0)).save(str(model))
        started = time.perf_counter()
        build(CONFIG, model, folder / "build", lambda line: print(line, file=sys.stderr))
        seconds = time.perf_counter() - started
        proof = json.loads(BuildFolder(folder / "build").proof.read_text())["seconds"]
    return ProofCost(name, seconds, proof, proof / seconds)


def main() -> int:
    """Measure and print; 1 if the share is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("preset", nargs="?", default="dsodenet-small", choices=PRESETS, help="network")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    cost = measure(options.preset)
    if options.json:
        print(json.dumps(asdict(cost), indent=2))
    else:
        print(
            f"{cost.preset}: build {cost.build_seconds:.1f} s, proof {cost.proof_seconds:.1f} s, {cost.share:.1%} of "
            f"it (at most {LIMIT:.0%})"
        )
    return int(cost.share > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
