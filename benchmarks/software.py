"""The accelerator against software: frames per second of the same network on this computer's processor.

Each preset, calibrated but untrained (which does not matter for the speed), runs

- in ONNX Runtime, in float and quantised (each quantiser as QuantizeLinear, Clip, DequantizeLinear; its logits are
  compared with Brevitas's),
- in PyTorch, eagerly, in float and quantised (Brevitas),

with one thread and with all, one image at a time and in batches. The accelerator is built for its target rate and
simulated exactly; its rate is simulated cycles at 200 MHz, not measured on a board. "one image" is its latency.

For context: the publication on dsODENet reports 23.8 times the speed of software, but on the board's own Cortex-A53, a
much slower processor than this one is likely to be.

`python -m benchmarks.software [--json] [PRESET ...]`
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.accelerators import CLOCK_MHZ, build_untrained, simulate_exactly
from benchmarks.common.onnx_models import float_onnx, quantised_onnx
from benchmarks.common.rows import ROWS
from brevitas_models.calibration import float_state
from brevitas_models.config import preset
from brevitas_models.networks import ODENet, float_network
from brevitas_models.untrained import smooth_images, untrained_network
from finn_flow.export.network import make_golden, network_values

BATCHES = (1, 128)
THREADS = tuple(dict.fromkeys((1, os.cpu_count() or 1)))
SECONDS, MIN_CALLS = 1.0, 3
FRAMES = 24

Images = NDArray[np.float32]
Run = Callable[[Images], NDArray[np.float32]]


ROW_OF = {"dsodenet-small": ROWS[2], "dsodenet-base": ROWS[0]}
"""The configuration that each preset is built with."""


@dataclass(frozen=True)
class SoftwareSpeed:
    """One way to run a network; `mismatches` counts logits that differ from Brevitas's, None for float."""

    program: str
    form: str
    threads: int
    batch: int
    frames_per_second: float
    mismatches: int | None


@dataclass(frozen=True)
class AcceleratorSpeed:
    """What simulation in Verilator found."""

    cycles_per_frame: float
    latency_cycles: int

    def frames_per_second(self, batch: int) -> float:
        """At `CLOCK_MHZ`, frames back to back or one at a time."""
        return CLOCK_MHZ * 1e6 / (self.latency_cycles if batch == 1 else self.cycles_per_frame)


def speed(run: Run, images: Images) -> float:
    """Frames per second: the median of calls, at least `MIN_CALLS` and for `SECONDS`, after one to warm up."""
    run(images)
    seconds: list[float] = []
    while len(seconds) < MIN_CALLS or sum(seconds) < SECONDS:
        started = time.perf_counter()
        run(images)
        seconds.append(time.perf_counter() - started)
    return len(images) / statistics.median(seconds)


def in_onnx_runtime(model: bytes, threads: int) -> Run:
    """Return a model with all of ONNX Runtime's optimisations."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images})[0]


def in_pytorch(network: ODENet, threads: int) -> Run:
    """Return a network run eagerly."""

    @torch.inference_mode()
    def run(images: Images) -> NDArray[np.float32]:
        torch.set_num_threads(threads)
        return network(torch.from_numpy(images)).numpy()

    return run


def measure_software(name: str) -> Iterator[SoftwareSpeed]:
    """Measure all ways to run a preset."""
    quantised = untrained_network(preset(name), seed=0)
    twin = float_network(quantised.config).eval()
    twin.load_state_dict(float_state(twin, quantised.state_dict()))
    golden = make_golden(quantised, smooth_images(quantised.config, BATCHES[-1], seed=1))
    images = network_values(golden.inputs)
    programs = {
        ("ONNX Runtime", "float"): partial(in_onnx_runtime, float_onnx(twin).SerializeToString()),
        ("ONNX Runtime", "quantised"): partial(in_onnx_runtime, quantised_onnx(quantised).SerializeToString()),
        ("PyTorch", "float"): partial(in_pytorch, twin),
        ("PyTorch (Brevitas)", "quantised"): partial(in_pytorch, quantised),
    }
    for (program, form), prepare in programs.items():
        for threads in THREADS:
            run = prepare(threads)
            mismatches = None if form == "float" else int(np.count_nonzero(run(images) != golden.logits))
            for batch in BATCHES:
                yield SoftwareSpeed(program, form, threads, batch, speed(run, images[:batch]), mismatches)


def measure_accelerator(name: str) -> AcceleratorSpeed:
    """Build and simulate a preset's accelerator."""
    with tempfile.TemporaryDirectory() as folder:
        run = simulate_exactly(build_untrained(preset(name), Path(folder), build_config=ROW_OF[name].path), FRAMES)
    return AcceleratorSpeed(run.cycles_per_frame, run.first_frame_latency_cycles)


def processor() -> str:
    """Return the processor's name."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def table(name: str, software: list[SoftwareSpeed], accelerator: AcceleratorSpeed) -> Table:
    """Frames per second, and how many times that the accelerator does."""
    shown = Table(title=f"{name}: frames per second on {processor()}, {os.cpu_count()} threads")
    for column in ("program", "form", "threads"):
        shown.add_column(column)
    for column in ("one image at a time", "accelerator", f"batch of {BATCHES[-1]}", "accelerator", "wrong logits"):
        shown.add_column(column, justify="right")
    for one, many in zip(software[::2], software[1::2], strict=True):
        pairs = [(row.frames_per_second, accelerator.frames_per_second(row.batch)) for row in (one, many)]
        cells = [text for rate, other in pairs for text in (f"{rate:,.{int(rate < 10)}f}", f"{other / rate:,.1f} x")]
        wrong = "" if one.mismatches is None else str(one.mismatches)
        shown.add_row(one.program, one.form, str(one.threads), *cells, wrong)
    rates = [f"{accelerator.frames_per_second(batch):,.0f}" for batch in BATCHES]
    shown.add_section()
    shown.add_row(f"accelerator, simulated cycles at {CLOCK_MHZ} MHz", "quantised", "", rates[0], "", rates[1], "", "0")
    return shown


def main() -> None:
    """Measure and print the tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    parser.add_argument("presets", nargs="*", metavar="PRESET", help=f"default: {', '.join(ROW_OF)}")
    options = parser.parse_args()
    names = options.presets or list(ROW_OF)
    if unknown := sorted(set(names) - set(ROW_OF)):
        parser.error(f"no target for {', '.join(unknown)}; use {', '.join(ROW_OF)}")
    found: dict[str, Any] = {}
    for name in names:
        print(f"{name}: software, then the accelerator", file=sys.stderr, flush=True)
        software, accelerator = list(measure_software(name)), measure_accelerator(name)
        found[name] = {
            "software": [asdict(row) for row in software],
            "accelerator": {**asdict(accelerator), "clock_mhz": CLOCK_MHZ, "what": "simulated cycles at the clock"},
        }
        if not options.json:
            Console(width=150).print(table(name, software, accelerator))
    if options.json:
        print(json.dumps({"processor": processor(), "threads": os.cpu_count(), "presets": found}, indent=2))


if __name__ == "__main__":
    main()
