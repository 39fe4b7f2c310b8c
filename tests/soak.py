"""As many frames as wanted through a small accelerator, under random pauses and resets: `python -m tests.soak`."""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from finn_flow.execution import execute_hardware
from finn_flow.netlist import Netlist
from finn_flow.simulation.accelerator import LOGITS, SimulatedAccelerator
from finn_flow.verilator import Stall
from tests.finn_flow.netlist.one_block import one_block

IMAGES = 256
"""Different images; their order is random."""
MOST_FRAMES = 2_000
"""Of one run."""


def soak(frames: int, seed: int, progress: float = 0.0) -> dict[str, int]:
    """Send so many frames through, in runs with random pauses at both ends; each run is reset once in mid-frame.

    A reset drops what was inside; all frames of the run are then sent again. Every label and every logit is compared,
    and nothing may come out after the last word. Registers and memories without a start value start at random.

    Parameters
    ----------
    progress
        Seconds between two lines of progress; 0 for none.

    Returns
    -------
    dict[str, int]
        Numbers of frames that came out right, of runs and resets, and of simulated cycles.

    Raises
    ------
    AssertionError
        A frame is wrong, missing or in another's place, or one came that nobody sent.
    SimulationHang, SimulationError
        As `simulate`.
    """
    rng = np.random.default_rng(seed)
    block = one_block()
    netlist = Netlist.load(block.folder / "rtl")
    (stream,) = netlist.inputs.values()
    images = rng.integers(0, 256, (IMAGES, *stream.shape[1:]), dtype=np.uint8)
    found = execute_hardware(block.folded, images)
    count = {"frames": 0, "runs": 0, "resets": 0, "cycles": 0}
    shown = time.monotonic()
    with SimulatedAccelerator(netlist) as accelerator:
        while count["frames"] < frames:
            chosen = rng.integers(0, IMAGES, min(int(rng.integers(2, MOST_FRAMES)), frames - count["frames"]))
            pauses = [float(rng.choice([0.0, 0.05, 0.3, 0.7])) for _ in range(2)]
            burst = [None, 4.0, 40.0][int(rng.integers(3))]
            stall = Stall.random(*pauses, seed=int(rng.integers(1, 2**31)), burst_cycles=burst)
            reset = int(rng.integers(2, min(len(chosen), 4) * netlist.expected_cycles_per_frame))
            run = accelerator.run(
                images[chosen],
                stall=stall,
                reset_at_cycle=reset,
                random_seed=int(rng.integers(1, 2**31)),
                drain_cycles=200,
            )
            for name, expected in (("labels", found["labels"]), (LOGITS, found["logits"])):
                values = run.results[name if name == LOGITS else next(iter(netlist.outputs))]
                wanted = expected.reshape(IMAGES, -1)[chosen]
                np.testing.assert_array_equal(values, wanted, err_msg=f"{name}, run {count['runs']} of seed {seed}")
            assert all(result.surplus_words == 0 for result in run.result.streams.values())
            count["frames"] += len(chosen)
            count["runs"] += 1
            count["resets"] += 1
            count["cycles"] += run.result.cycles + reset
            if progress and time.monotonic() - shown > progress:
                shown = time.monotonic()
                print(f"soak: {count['frames']:,} of {frames:,} frames", flush=True)
    return count


def main() -> int:
    """Run from the command line and print what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, epilog="example: python -m tests.soak --frames 10000 --seed 7"
    )
    parser.add_argument("--frames", type=int, default=1_000_000, help="frames (default: 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="of images, pauses and resets (default: 1)")
    arguments = parser.parse_args()
    started = time.monotonic()
    count = soak(arguments.frames, arguments.seed, progress=30.0)
    seconds = time.monotonic() - started
    print(
        f"soak: {count['frames']:,} frames in {count['runs']:,} runs, each reset in mid-frame, "
        f"{count['cycles']:,} cycles: all right ({seconds:.0f} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
