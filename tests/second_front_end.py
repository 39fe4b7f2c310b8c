"""Another reader of our sources: slang, which holds to the standard (IEEE 1800-2023), with no leniency asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pyslang import driver

from finn_flow.netlist.netlist import Netlist
from finn_flow.synthesis.primitives import declarations


def front_end_errors(
    top: str, sources: Sequence[Path], folder: Path, parameters: Mapping[str, int | str] | None = None
) -> str:
    """Return what slang has against a design; "" if it accepts it. Warnings, a matter of taste, do not count.

    Parameters
    ----------
    folder
        Receives the declarations of the device's primitives that the sources instantiate.
    """
    primitives = folder / "primitives.v"
    primitives.write_text(declarations(Path(source).read_text() for source in sources))
    reader = driver.Driver()
    reader.addStandardArgs()
    values = [f"-G{name}={_literal(value)}" for name, value in (parameters or {}).items()]
    arguments = ["slang", "--std=1800-2023", "-Wnone", "--top", top, *values, str(primitives), *map(str, sources)]
    if not (reader.parseCommandLine(" ".join(arguments)) and reader.processOptions() and reader.parseAllSources()):
        return f"{top}: slang does not take its arguments"
    compilation = reader.createCompilation()
    errors = [found for found in compilation.getAllDiagnostics() if found.isError()]
    return "\n".join(reader.diagEngine.formatMessage(found) for found in errors)


def netlist_errors(netlist: Netlist, folder: Path) -> str:
    """Return what it has against a whole netlist; see `front_end_errors`."""
    return front_end_errors(netlist.top, [netlist.folder / name for name in netlist.sources], folder)


def _literal(value: int | str) -> str:
    return f'\\"{value}\\"' if isinstance(value, str) else str(value)
