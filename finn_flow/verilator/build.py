"""From a `Design` to a shared object, kept in the cache by content."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from finn_flow.cache import cache_subdir, is_whole, seal
from finn_flow.files import disk_errors
from finn_flow.progress import task
from finn_flow.verilator import toolchain
from finn_flow.verilator.design import Design
from finn_flow.verilator.ports import TEMPLATE, VerilatedPort, read_verilated_ports, render_model
from finn_flow.verilator.sources import Patch, StagedSources, stage_sources

LIBRARY = "model.so"
VERILATOR_FLAGS = (
    "--cc",
    "--no-timing",
    "--assert",
    "--x-assign",
    "0",
    "--x-initial",
    "unique",
    "--prefix",
    "Vdut",
    "--Mdir",
    "obj",
    "-Wno-fatal",
    "-Wno-lint",
    "-Wno-style",
    "-Werror-USERERROR",
    "-Werror-USERFATAL",
)
# A model of more C++ than this is large: it is compiled in pieces of this size, in parallel, and with less optimisation
# (a multiplier array of 288 lanes: half the compile time for 6 % of speed).
SPLIT_BYTES = 1_000_000
_SMALL, _LARGE, _LARGE_ONCE = "-O2", "-O1", "-O0"
_HARNESS = Path(__file__).with_name("harness.cpp")
_HARNESS_HEADER = Path(__file__).with_name("harness.h")


def compile_design(design: Design, trace: bool = False) -> Path:
    """Verilate and compile `design`, or find it in the cache.

    Safe to call from several processes at once: one of them builds, the others wait for it.

    Parameters
    ----------
    trace
        Make a model that can write waveforms (slower).

    Returns
    -------
    Path
        The shared object.

    Raises
    ------
    SimulationBuildError
        A tool is missing or refused the design.
    UserError
        A source file cannot be read.
    """
    staged = stage_sources(design.sources, design.include_dirs, design.patch)
    arguments = _verilator_arguments(design.top, staged, design.parameters, design.defines)
    if trace:
        arguments.append("--trace-vcd")
    interface = repr(
        (design.inputs, design.outputs, design.clock, design.reset, design.reset_active_low, design.clock2x)
    )
    others = repr((sorted(design.constants.items()), tuple(design.probes)))
    key = toolchain.content_hash(
        *_tool_identity(trace), TEMPLATE.read_text(), interface, others, *arguments, *staged.content()
    )

    def make(folder: Path) -> None:
        staged.write(folder)
        toolchain.run_verilator(arguments, folder)
        generated = folder / "obj"
        ports = read_verilated_ports((generated / "Vdut.h").read_text())
        (generated / "model.cpp").write_text(render_model(design, ports))
        _compile_model(folder, trace)
        for child in folder.iterdir():
            if child.is_dir():
                shutil.rmtree(child)

    return _cached_folder(f"{design.top[:40]}-{key}", make) / LIBRARY


def inspect_ports(
    top: str, sources: Sequence[Path], defines: Mapping[str, str] | None = None, patch: Patch | None = None
) -> dict[str, VerilatedPort]:
    """Return the ports of a module with its default parameters, by name.

    Raises
    ------
    SimulationBuildError, UserError
        As `compile_design`.
    """
    staged = stage_sources(sources, (), patch)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        staged.write(folder)
        toolchain.run_verilator(_verilator_arguments(top, staged, {}, defines or {}), folder)
        return read_verilated_ports((folder / "obj" / "Vdut.h").read_text())


def lint(
    top: str,
    sources: Sequence[Path],
    parameters: Mapping[str, int | str] | None = None,
    include_dirs: Sequence[Path] = (),
    patch: Patch | None = None,
) -> None:
    """Check a module with `verilator --lint-only -Wall`.

    Raises
    ------
    SimulationBuildError
        Verilator has anything to say about it.
    """
    staged = stage_sources(sources, include_dirs, patch)
    arguments = ["--lint-only", "-Wall", "--no-timing", "--assert"]
    arguments += _verilator_arguments(top, staged, parameters or {}, {}, flags=())

    def run(folder: Path) -> None:
        staged.write(folder)
        toolchain.run_verilator(arguments, folder)

    _cached_folder(f"lint-{toolchain.content_hash(toolchain.verilator_version(), *arguments, *staged.content())}", run)


def _verilator_arguments(
    top: str,
    staged: StagedSources,
    parameters: Mapping[str, int | str],
    defines: Mapping[str, str],
    flags: Sequence[str] = VERILATOR_FLAGS,
) -> list[str]:
    """Verilator's command line for the staged sources."""
    arguments = [*flags, "--top-module", top]
    if staged.headers:
        arguments.append("-Iinclude")
    for name, value in parameters.items():
        arguments.append(f'-G{name}="{value}"' if isinstance(value, str) else f"-G{name}={int(value)}")
    arguments += [f"-D{name}={value}" if value else f"-D{name}" for name, value in sorted(defines.items())]
    return [*arguments, *staged.modules]


def _compile_model(folder: Path, trace: bool) -> None:
    """Compile `folder/obj/*.cpp` with the harness into `folder/model.so`."""
    runtime = _runtime(trace)
    generated = folder / "obj"
    fast: list[Path] = []
    slow: list[Path] = []
    for path in sorted(generated.glob("*.cpp")):
        (slow if "__Slow" in path.name or "__Trace" in path.name else fast).append(path)
    if sum(path.stat().st_size for path in (*fast, *slow)) <= SPLIT_BYTES:
        units = [(_SMALL, [*fast, *slow])]
    else:
        units = [(_LARGE, group) for group in _groups(fast)] + [(_LARGE_ONCE, group) for group in _groups(slow)]

    def compile_unit(index: int) -> str:
        optimisation, paths = units[index]
        unit = generated / f"unit{index}.cpp"
        unit.write_text("".join(f'#include "{path.name}"\n' for path in paths))
        name = f"unit{index}.o"
        flags = [*_compile_flags(trace), optimisation, "-include", str(runtime / _HARNESS_HEADER.name), "-I."]
        toolchain.run_compiler([*flags, "-c", unit.name, "-o", name], generated)
        return name

    objects = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool, task("compiling the simulation", "files") as work:
        for name in pool.map(compile_unit, range(len(units))):
            objects.append(name)
            work.advance(len(objects), len(units))
    # Nothing may be left undefined: a library that lacks a part would be found out only when it is loaded.
    link = ["-shared", "-s", "-Wl,-Bsymbolic", "-Wl,-z,defs", "-Wl,--wrap=fopen", "-pthread"]
    link += ["-o", str(folder / LIBRARY)]
    toolchain.run_compiler([*link, *objects, *map(str, sorted(runtime.glob("*.o")))], generated)


def _groups(paths: Sequence[Path]) -> list[list[Path]]:
    """Consecutive files in groups of at most about `SPLIT_BYTES`."""
    groups: list[list[Path]] = []
    size = SPLIT_BYTES
    for path in paths:
        if size >= SPLIT_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(path)
        size += path.stat().st_size
    return groups


def _runtime(trace: bool) -> Path:
    """Return the folder with what all models share: Verilator's runtime, the harness, and its precompiled header."""
    flags = _compile_flags(trace)

    def make(folder: Path) -> None:
        include = toolchain.verilator_root() / "include"
        for source in (_HARNESS, _HARNESS_HEADER):
            shutil.copy(source, folder)
        names = ["verilated.cpp", "verilated_threads.cpp"] + (["verilated_vcd_c.cpp"] if trace else [])
        units = [str(include / name) for name in names] + [_HARNESS.name]
        header = _HARNESS_HEADER.name
        jobs = [[_SMALL, "-include", header, "-c", unit, "-o", f"{Path(unit).stem}.o"] for unit in units]
        jobs.append([_SMALL, "-x", "c++-header", header, "-o", f"{header}.gch"])
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            list(pool.map(lambda job: toolchain.run_compiler([*flags, *job], folder), jobs))

    return _cached_folder(f"runtime-{toolchain.content_hash(*_tool_identity(trace))}", make)


def _compile_flags(trace: bool) -> list[str]:
    """Compiler options of every file."""
    vcd = str(int(trace))
    return [
        *toolchain.COMPILE_FLAGS,
        f"-DVM_TRACE={vcd}",
        f"-DVM_TRACE_VCD={vcd}",
        "-DVM_TRACE_FST=0",
        "-DVM_TRACE_SAIF=0",
        *toolchain.include_flags(),
    ]


def _tool_identity(trace: bool) -> list[str]:
    """Everything apart from the design that a build depends on."""
    return [
        toolchain.verilator_version(),
        str(toolchain.verilator_root()),
        toolchain.compiler_version(toolchain.compiler()),
        *_compile_flags(trace),
        _SMALL,
        _LARGE,
        _LARGE_ONCE,
        _HARNESS.read_text(),
        _HARNESS_HEADER.read_text(),
    ]


def _cached_folder(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cache's folder `name`, made where it is missing or damaged; a failed `make` leaves none."""
    root = cache_subdir("verilator")
    target = root / name
    if is_whole(target):
        return target
    with disk_errors(target), _locked(root / "locks" / name):
        if not is_whole(target):
            shutil.rmtree(target, ignore_errors=True)
            # The lock is ours, so a folder of this name is the rest of a build that was killed.
            temporary = root / f".building-{name}"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            try:
                make(temporary)
                seal(temporary)
                temporary.replace(target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    return target


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes and threads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
