"""How exploration scales: candidates per minute with one worker and with two, and what each costs beside its own work.

The candidates are estimates-only builds of small networks with random weights, each build different. The overhead per
task is what is left of the time of one worker when the candidates' own time, measured inside them, is taken off.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

from finn_flow.explore.run import explore
from finn_flow.explore.space import Space
from finn_flow.json_files import read_json_object

CANDIDATES = 200


def space(candidates: int) -> Space:
    """Return a space of at least so many candidates, of four networks."""
    rates = [1000 + 250 * number for number in range(-(-candidates // 4))]
    return Space.model_validate(
        {
            "network": {
                "in_channels": 1,
                "image_size": [14, 14],
                "channels": {"any_of": [[4, 8], [8, 8]]},
                "iterations": {"any_of": [[2, 2], [4, 4]]},
            },
            "build": {"target_fps": {"any_of": rates}},
            "objectives": ["frames_per_second", "LUT"],
            "trials": candidates,
        }
    )


def measure(candidates: int, workers: int) -> tuple[float, float]:
    """Return the seconds of an exploration, and those that its builds took by their own clocks."""
    folder = Path(tempfile.mkdtemp(prefix="explore_"))
    try:
        started = time.monotonic()
        found = explore(space(candidates), folder, workers, deepen_front=False)
        elapsed = time.monotonic() - started
        steps = [
            read_json_object(folder / "candidates" / name / "build" / "report" / "time_per_step.json")
            for name in found.figures
        ]
        if len(steps) != candidates:
            raise RuntimeError(f"{len(steps)} of {candidates} candidates were built")
        return elapsed, sum(sum(step.values()) for step in steps)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    one, own = measure(options.candidates, 1)
    two, _ = measure(options.candidates, 2)
    result = {
        "candidates": options.candidates,
        "processors": os.cpu_count(),
        "seconds_with_1_worker": round(one, 1),
        "seconds_with_2_workers": round(two, 1),
        "speed_up": round(one / two, 2),
        "overhead_per_candidate_s": round((one - own) / options.candidates, 2),
    }
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            print(f"{name.replace('_', ' '):28} {value}")


if __name__ == "__main__":
    main()
