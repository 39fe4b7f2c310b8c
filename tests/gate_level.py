"""A mapped netlist as Verilog with the models of its cells, for simulation in the RTL's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from finn_flow.synthesis.engine import mapped_netlist
from finn_flow.synthesis.job import SynthesisJob, stage
from finn_flow.synthesis.primitives import library
from finn_flow.verilator import Design

CELLS = Path(__file__).parent / "cells"
"""Models of cells of which Yosys knows the ports only."""

_ANNOTATIONS = ("$scopeinfo", "$meminfo")


def gate_level(design: Design, folder: Path) -> Design:
    """Return the design as open synthesis maps it: one flat module of the device's primitives, by the same name.

    Parameters
    ----------
    folder
        Where its source file is to be written.

    Raises
    ------
    ValueError
        The netlist has a primitive for which there is no model (block and ultra RAM).
    """
    job = SynthesisJob(
        design.top, design.sources, design.include_dirs, design.parameters, design.defines, design.data_files
    )
    file = folder / f"{design.top}_gates.v"
    file.write_text(gate_level_source(design.top, mapped_netlist(stage(job))))
    return replace(design, sources=[file], parameters={}, include_dirs=(), defines={}, data_files=())


def gate_level_source(top: str, module: Mapping[str, Any]) -> str:
    """Return the Verilog of a flat module as Yosys writes it in JSON, with the modules of its cells behind it."""
    cells = {name: cell for name, cell in module["cells"].items() if cell["type"] not in _ANNOTATIONS}
    types = sorted({cell["type"] for cell in cells.values()})
    models = {**library(), **{file.stem: file.read_text() for file in CELLS.glob("*.v")}}
    missing = [name for name in types if name not in models or not _has_behaviour(models[name])]
    if missing:
        raise ValueError(f"{top}: there is no model of {', '.join(missing)}")
    nets = {bit for cell in cells.values() for bits in cell["connections"].values() for bit in bits}
    nets |= {bit for port in module["ports"].values() for bit in port["bits"]}
    lines = [f"module {top} ("]
    lines.append(",\n".join(f"  {p['direction']} [{len(p['bits']) - 1}:0] {n}" for n, p in module["ports"].items()))
    lines.append(");")
    lines += [f"  wire n{bit};" for bit in sorted(bit for bit in nets if isinstance(bit, int))]
    for name, port in module["ports"].items():
        bits = _bits(port["bits"])
        lines.append(f"  assign {bits} = {name};" if port["direction"] == "input" else f"  assign {name} = {bits};")
    for index, cell in enumerate(cells.values()):
        parameters = ", ".join(f".{name}({_literal(value)})" for name, value in cell["parameters"].items())
        ports = ", ".join(f".{name}({_bits(bits)})" for name, bits in cell["connections"].items())
        lines.append(f"  {cell['type']} {f'#({parameters}) ' if parameters else ''}c{index} ({ports});")
    lines.append("endmodule\n")
    return "\n".join(lines) + "\n" + "\n\n".join(models[name] for name in types) + "\n"


def _has_behaviour(model: str) -> bool:
    return "assign" in model or "always" in model


def _bits(bits: list[int | str]) -> str:
    """Return a concatenation; Yosys lists the lowest bit first. What is undefined is 1, so that it does harm."""
    return (
        "{" + ", ".join(f"n{b}" if isinstance(b, int) else f"1'b{'0' if b == '0' else '1'}" for b in bits[::-1]) + "}"
    )


def _literal(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    if value and set(value) <= set("01xz"):
        return f"{len(value)}'b{value.replace('x', '0')}"
    return f'"{value}"'
