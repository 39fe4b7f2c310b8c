"""Lints every RTL core with `verilator --lint-only -Wall`: `python -m finn_flow.rtl_lint`."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from finn_flow.errors import FlowError
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.verilator import SimulationBuildError, lint

ROOT = Path(__file__).parents[1]
RTL_FOLDERS = (ROOT / "custom_ops", ROOT / "finn_flow")

Parameters = Mapping[str, int | str]

VARIANTS: Mapping[str, Sequence[Parameters]] = {
    "adder_tree": ({"N": 2}, {"N": 25, "SUM_BITS": 8}),
    "channel_affine": ({"CF": 1, "IN_SIGNED": 0},),
    "credit_fifo": ({"DEPTH": 1},),
    "deinterleave": ({"N": 3, "POSITION": 2, "PE": 1},),
    "depthwise_conv": (
        {"CF": 3, "WEIGHT_FILE": "weights.dat", "IN_SIGNED": 0},
        {"K": 5, "STRIDE": 2, "H": 3, "W": 3, "PE": 1},
    ),
    "depthwise_conv_control": ({"K": 5, "STRIDE": 2, "CF": 1},),
    "depthwise_conv_window": ({"K": 5, "CF": 1},),
    "dma_fifo": ({"DATA_WIDTH": 1, "DEPTH": 2},),
    "global_sum_pool": ({"CF": 1, "PIXELS": 1}, {"IN_SIGNED": 0, "OUT_BITS": 4}),
    "indexed_thresholding": (
        {"CF": 1, "PE": 1, "WORDS": 1, "SETS": 2, "STEPS": 1, "THRESHOLD_BITS": 9},
        {"BIAS": -2, "OUT_BITS": 4, "IN_SIGNED": 0},
        {"SETS": 6, "KINDS": 3, "PIXEL_WORDS": 2, "KIND_FILE": "kinds.dat"},
    ),
    "idma_core": ({"FRAME_WORDS": 784}, {"STREAM_BYTES": 3, "FRAME_WORDS": 49}, {"STREAM_BYTES": 24, "FRAME_WORDS": 7}),
    "interleave": ({"N": 3, "PE": 1},),
    "lookup": ({"CF": 1, "PE": 1},),
    "odma_core": ({"FRAME_WORDS": 784}, {"STREAM_BYTES": 3, "FRAME_WORDS": 49}, {"STREAM_BYTES": 24, "FRAME_WORDS": 7}),
    "ode_update": ({"FRACTION_BITS": 0, "STATE_SIGNED": 0}, {"FRACTION_BITS": -2}, {"FRACTION_BITS": 1, "PE": 1}),
    "indexed_pipeline": ({"SETS": 1, "CF": 1, "WORDS": 1},),
    "indexed_requantisation": ({"CF": 1, "PE": 1, "WORDS": 1, "SETS": 2, "MEMORY_FILE": "words.dat"},),
    "requantisation": ({"CF": 3, "MEMORY_FILE": "words.dat"},),
    "requantisation_lane": (
        {"LOWEST": 0, "HIGHEST": 15, "TIES_TO_EVEN": 1, "MULTIPLY_CYCLES": 2},
        {"LOWEST": -7, "IN_SIGNED": 0, "SHIFT": 0},
        {"LOWEST": 2, "HIGHEST": 13, "SHIFT": 1},
    ),
    "requantisation_lanes": ({"PE": 1},),
    "requantisation_parameters": ({"PE": 1, "DEPTH": 5, "MEMORY_FILE": "words.dat"},),
    "select_stream": ({"WORDS": 1},),
    "stream_queue": ({"DEPTH": 1},),
    "parameter_port": ({"IN_WORDS": 1, "DATA_WIDTH": 1},),
    "writable_requantisation": ({"CF": 1},),
    "writable_indexed_requantisation": ({"CF": 1, "PE": 1, "WORDS": 1, "SETS": 2}, {"SETS": 1}),
    "writable_requantisation_lanes": ({"DEPTH": 5, "PE": 1},),
    "weight_rom": ({"DEPTH": 5, "MEMORY_FILE": "words.dat"},),
    "window_reader": ({"H": 1, "KH": 1, "OH": 1, "TOP": 0, "LINES": 2, "CF": 2},),
    "window_reduce": (
        {"KIND": 1, "OUT_BITS": 8},
        {"KIND": 2, "OUT_BITS": 12, "WEIGHT_FILE": "weights.dat"},
        {"IN_SIGNED": 1},
    ),
    "top_k": ({"PE": 1, "K": 1, "IN_SIGNED": 0}, {"LABELS": 2, "PE": 2, "K": 2}),
}
"""Parameters, besides the defaults, under which a core is linted: its other generate branches."""

FINN_WARNINGS = ("WIDTH", "UNUSED", "UNDRIVEN", "SELRANGE", "DECLFILENAME", "GENUNNAMED", "PROCASSINIT", "VARHIDDEN")
"""What Verilator has to say about FINN's cores."""


def own_cores() -> dict[str, Path]:
    """Return our SystemVerilog files by module name."""
    return {file.stem: file for folder in RTL_FOLDERS for file in sorted(folder.rglob("*.sv"))}


def finn_cores() -> dict[str, Path]:
    """Return the files of FINN's RTL library that our cores instantiate, by module name."""
    from finn.util.settings import get_settings

    from custom_ops.hardware import HARDWARE_OPS

    ensure_finn()
    names = {name for op in HARDWARE_OPS for name in op.finn_rtl_sources}
    return {Path(name).stem: Path(get_settings().finn_rtllib) / name for name in sorted(names)}


def lint_messages(top: str, sources: Sequence[Path], parameters: Parameters | None = None) -> str:
    """Return what Verilator has to say about `top` with what it instantiates; "" if it is clean.

    Modules are looked for among `sources` and FINN's cores, whose own warnings do not count.
    """
    finn = finn_cores()
    needed = {file.stem: file for file in sources} | finn
    try:
        files = [needed[name] for name in closure(top, needed)]
        lint(top, files, parameters, patch=partial(_silence, frozenset(finn)))
    except SimulationBuildError as error:
        return str(error)
    return ""


def _silence(finn: frozenset[str], name: str, text: str) -> str:
    """Tell Verilator to keep its warnings about files of FINN's."""
    if Path(name).stem not in finn:
        return text
    return "".join(f"/* verilator lint_off {rule} */\n" for rule in FINN_WARNINGS) + text


def closure(top: str, files: Mapping[str, Path]) -> list[str]:
    """Return `top` and the modules among `files` that it needs, by their names in the text."""
    found, queue = [], [top]
    while queue:
        name = queue.pop()
        if name not in found:
            found.append(name)
            queue += [word for word in dict.fromkeys(re.findall(r"\w+", files[name].read_text())) if word in files]
    return found


def main() -> int:
    """Lint all cores with their defaults and variants; print what is wrong and return the exit status."""
    cores = own_cores()
    unknown = set(VARIANTS) - set(cores)
    if unknown:
        raise FlowError(f"lint variants name cores that do not exist: {sorted(unknown)}")
    runs = [(top, parameters) for top in cores for parameters in ({}, *VARIANTS.get(top, ()))]
    failed = 0
    for top, parameters in runs:
        messages = lint_messages(top, list(cores.values()), parameters)
        if messages:
            failed += 1
            print(f"{top} {dict(parameters)}:\n{messages}", file=sys.stderr)
    print(f"RTL lint: {len(cores)} cores, {len(runs)} parameter sets, {failed} with warnings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
