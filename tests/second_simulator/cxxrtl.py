"""A design in a second simulator: slang's front end and CXXRTL of Yosys, with nothing of Verilator in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyosys
from numpy.typing import NDArray

from finn_flow.synthesis.job import SynthesisJob, stage
from finn_flow.synthesis.primitives import library
from finn_flow.verilator import Design, toolchain
from tests.gate_level import CELLS

HARNESS = Path(__file__).with_name("harness.cpp")
RUNTIME = Path(pyosys.__file__).parent / "share" / "include" / "backends" / "cxxrtl" / "runtime"
# Memories are read out of their bounds where nobody looks at what comes; without NDEBUG that stops the simulation.
FLAGS = ("-std=c++17", "-w", "-DNDEBUG")
SOURCE, PROGRAM = "design.cc", "simulation"

# Yosys ends the process on errors, so it runs in one of its own.
_TRANSLATE = """
import json, sys
from pyosys import libyosys
design = libyosys.Design()
for command in json.load(sys.stdin):
    libyosys.Pass.call(design, command)
"""
_READ = ("read_slang", "--ignore-assertions", "--allow-use-before-declare")


class SecondSimulation:
    """A design, translated and compiled in a folder of its own.

    Cells of the device that its sources instantiate (FINN's matrix-vector units do) get the models in `tests/cells` or,
    for look-up tables, those of Yosys: here they are simulated as instantiated, not as written for simulators.
    """

    def __init__(self, design: Design, folder: Path) -> None:
        self.design, self.folder = design, folder
        job = stage(
            SynthesisJob(design.top, design.sources, design.include_dirs, design.parameters, {}, design.data_files)
        )
        job.write(folder)
        cells = [*map(str, sorted(CELLS.glob("*.v")))]
        (folder / "cells.v").write_text(library()["LUT6_2"])
        commands = [
            [*_READ, "--top", design.top, "cells.v", *cells, *job.sources.modules],
            f"hierarchy -check -top {design.top}",
            "proc -noopt",
            "opt_expr",
            "opt_clean",
            f"write_cxxrtl -g0 {SOURCE}",
        ]
        self._run([sys.executable, "-c", _TRANSLATE], json.dumps(commands))
        names = {
            "DESIGN": f'"{SOURCE}"',
            "TOP": f"p_{design.top.replace('_', '__')}",
            "INPUTS": " ".join(f"X({port.name.replace('_', '__')})" for port in design.inputs),
            "OUTPUTS": " ".join(f"X({port.name.replace('_', '__')})" for port in design.outputs),
        }
        defines = [f"-D{name}={value}" for name, value in names.items()]
        self._run(
            [
                toolchain.compiler(),
                *FLAGS,
                *defines,
                "-I.",
                f"-I{RUNTIME}",
                str(HARNESS),
                "-o",
                PROGRAM,
            ]
        )

    def run(
        self,
        inputs: Mapping[str, NDArray[np.uint8]],
        outputs: Mapping[str, int],
        seed: int,
        pauses_percent: int = 30,
        reset_at_cycle: int = 0,
        unhindered: frozenset[str] = frozenset(),
        max_idle_cycles: int = 2_000,
    ) -> dict[str, NDArray[np.uint8]]:
        """Send words [n, bytes] into each input and return as many as wanted of each output.

        Those `unhindered` never pause.

        Raises
        ------
        RuntimeError
            Nothing moves any more.
        """
        arguments = [str(number) for number in (seed, pauses_percent, reset_at_cycle, max_idle_cycles)]
        for port in self.design.inputs:
            (self.folder / f"{port.name}.words").write_bytes(inputs[port.name].tobytes())
            arguments.append(f"{port.name}.words")
        for port in self.design.outputs:
            arguments += [f"{port.name}.words", str(outputs[port.name]), str(int(port.name not in unhindered))]
        self._run([f"./{PROGRAM}", *arguments])
        found = {}
        for port in self.design.outputs:
            words = np.fromfile(self.folder / f"{port.name}.words", np.uint8).reshape(-1, port.word_bytes)
            if port.width_bits % 8:
                words[:, -1] &= (1 << port.width_bits % 8) - 1
            found[port.name] = words
        return found

    def _run(self, command: list[str], text: str = "") -> None:
        done = subprocess.run(command, cwd=self.folder, input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{Path(command[0]).name}: {(done.stdout + done.stderr)[-2000:]}")
