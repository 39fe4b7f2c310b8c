"""One proof obligation: RTL, harness and parameters in; proven, refuted in so many cycles, or undecided out."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyosys

import custom_ops

HARNESSES = Path(__file__).parent / "rtl"
CORES = Path(custom_ops.__file__).parent
ROOT = CORES.parent
ABC = Path(pyosys.__file__).parent / "yosys-abc"
_ASSERTIONS = re.compile(r"^\s*(\d+)\s+\$assert\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Proof:
    """A harness with its design and parameters.

    Parameters
    ----------
    top
        The harness, `rtl/{top}.sv`.
    cores
        Files of the design, relative to `custom_ops/`.
    parameters
        Of the harness.
    induction
        Cycles of the induction; 0 for property directed reachability, which finds the invariants by itself.
    helpers
        Further files of `rtl/`, besides the rules of the streams and the ideal queue.
    """

    top: str
    cores: Sequence[str]
    parameters: Mapping[str, int] = field(default_factory=dict)
    induction: int = 0
    helpers: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The harness with its parameters."""
        return " ".join([self.top, *(f"{name}={value}" for name, value in self.parameters.items())])

    def sources(self) -> list[Path]:
        """Return all files."""
        names = ["stream_source.sv", "stream_rules.sv", "ideal_queue.sv", *self.helpers, f"{self.top}.sv"]
        return [*(HARNESSES / name for name in names), *(CORES / name for name in self.cores)]


@dataclass(frozen=True)
class Verdict:
    """What came of a proof.

    Parameters
    ----------
    proven
        All assertions hold in every reachable state.
    refuted_in
        Cycles after which one of them fails, or None.
    assertions
        How many there are.
    """

    proven: bool
    refuted_in: int | None
    assertions: int
    seconds: float

    def __str__(self) -> str:
        if self.proven:
            return "proven"
        return "undecided" if self.refuted_in is None else f"refuted in cycle {self.refuted_in}"


def prove(proof: Proof, timeout_s: float, replaced: Mapping[str, str] | None = None, bound: int = 0) -> Verdict:
    """Prove one obligation.

    Parameters
    ----------
    timeout_s
        After which it counts as undecided.
    replaced
        Texts of cores, by their names in `proof.cores`, that stand for the files'.
    bound
        Look for a counterexample of up to so many cycles only, instead of a proof.

    Raises
    ------
    RuntimeError
        The front end refuses the sources; its messages are given.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="proof_") as name:
        folder = Path(name)
        sources = [_written(folder, file, replaced or {}) for file in proof.sources()]
        options = [f"-G{key}={value}" for key, value in proof.parameters.items()]
        command = [sys.executable, "-m", "tests.proofs.front_end", proof.top, str(folder / "design.aig")]
        done = subprocess.run([*command, *map(str, sources), *options], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{proof.name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        assertions = int(_ASSERTIONS.findall(done.stdout)[-1])
        answer = _ask(folder / "design.aig", proof.induction, bound, timeout_s)
    refuted = re.search(r"asserted in frame\s+(\d+)", answer) or re.search(r"ANSWER: CEX (\d+)", answer)
    proven = "Property proved" in answer or "Networks are equivalent" in answer
    return Verdict(proven, int(refuted[1]) if refuted else None, assertions, time.monotonic() - started)


def _written(folder: Path, file: Path, replaced: Mapping[str, str]) -> Path:
    """Return a file, or the one with the text that replaces it."""
    text = replaced.get(str(file.relative_to(CORES)) if file.is_relative_to(CORES) else "")
    if text is None:
        return file
    (folder / file.name).write_text(text)
    return folder / file.name


def _ask(aiger: Path, induction: int, bound: int, timeout_s: float) -> str:
    """Return what the model checker prints: all assertions as one, so that each may rely on the others."""
    prover = f"ind -F {induction}" if induction else "pdr"
    engine = f"bmc3 -F {bound}" if bound else prover
    command = [str(ABC), "-c", f"read_aiger {aiger}; fold; strash; orpos; {engine}"]
    try:
        return subprocess.run(command, cwd=aiger.parent, capture_output=True, text=True, timeout=timeout_s).stdout
    except subprocess.TimeoutExpired:
        return ""
