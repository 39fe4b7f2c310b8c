"""A strict interpreter of the block-design Tcl with which FINN's nodes describe what they consist of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from finn_flow.errors import FlowError

_GET = re.compile(r"\[get_bd_(?:intf_)?pins ([\w/]+)\]")


@dataclass
class BlockDesign:
    """What the commands of one node build.

    Parameters
    ----------
    node
        Name of the node, which is also the name of its outermost cell.
    files
        Source files, in the order in which they were added.
    cells
        Module of each cell by the cell's name. A node without hierarchy has one cell, `node`.
    is_hierarchy
        Whether the node is a hierarchy of cells.
    pins
        Its clock and reset input pins.
    interfaces
        Its stream ports by name: True for a Slave (an input).
    pin_nets, interface_nets
        Pairs of ends; an end is ("", pin) for the hierarchy's own pin, else (cell, pin).
    """

    node: str
    files: list[Path] = field(default_factory=list)
    cells: dict[str, str] = field(default_factory=dict)
    is_hierarchy: bool = False
    pins: list[str] = field(default_factory=list)
    interfaces: dict[str, bool] = field(default_factory=dict)
    pin_nets: list[tuple[tuple[str, str], tuple[str, str]]] = field(default_factory=list)
    interface_nets: list[tuple[tuple[str, str], tuple[str, str]]] = field(default_factory=list)


def interpret(node: str, commands: Iterable[str]) -> BlockDesign:
    """Return what `commands`, the result of the node's `code_generation_ipi`, build.

    Raises
    ------
    FlowError
        A command or an argument is not among those understood; nothing is skipped silently.
    """
    design = BlockDesign(node)
    for command in commands:
        words = command.split()
        handler = _COMMANDS.get(words[0])
        if handler is None or not handler(design, command):
            raise FlowError(f"{node}: the block-design command {command!r} is not understood")
    if not design.cells:
        raise FlowError(f"{node}: its block-design commands make no cell")
    return design


def _add_files(design: BlockDesign, command: str) -> bool:
    found = re.fullmatch(r"add_files -norecurse (\S+)", command)
    if found and Path(found[1]) not in design.files:
        design.files.append(Path(found[1]))
    return found is not None


def _create_cell(design: BlockDesign, command: str) -> bool:
    if command == f"create_bd_cell -type hier {design.node}":
        design.is_hierarchy = True
        return True
    found = re.fullmatch(r"create_bd_cell -type (?:module|hier) -reference (\w+) ([\w/]+)", command)
    if found is None:
        return False
    path = found[2].strip("/").split("/")
    if path[0] != design.node or len(path) != (2 if design.is_hierarchy else 1) or path[-1] in design.cells:
        return False
    design.cells[path[-1]] = found[1]
    return True


def _create_pin(design: BlockDesign, command: str) -> bool:
    found = re.fullmatch(rf"create_bd_pin -dir I -type (?:clk|rst) /{design.node}/(\w+)", command)
    if found:
        design.pins.append(found[1])
    return found is not None


def _create_interface(design: BlockDesign, command: str) -> bool:
    found = re.fullmatch(
        rf"create_bd_intf_pin -mode (Master|Slave) -vlnv xilinx\.com:interface:axis_rtl:1\.0 /{design.node}/(\w+)",
        command,
    )
    if found:
        design.interfaces[found[2]] = found[1] == "Slave"
    return found is not None


def _connect(nets: str) -> Callable[[BlockDesign, str], bool]:
    def handler(design: BlockDesign, command: str) -> bool:
        ends = _GET.findall(command)
        if len(ends) != 2 or _GET.sub("", command).split() != [command.split()[0]]:
            return False
        known = []
        for end in ends:
            path = end.strip("/").split("/")
            inner = path[1:-1]
            if path[0] != design.node or len(inner) > 1 or (inner and inner[0] not in design.cells):
                return False
            known.append((inner[0] if inner else "", path[-1]))
        getattr(design, nets).append(tuple(known))
        return True

    return handler


def _nothing(design: BlockDesign, command: str) -> bool:
    return command == "save_bd_design"


_COMMANDS: dict[str, Callable[[BlockDesign, str], bool]] = {
    "add_files": _add_files,
    "create_bd_cell": _create_cell,
    "create_bd_pin": _create_pin,
    "create_bd_intf_pin": _create_interface,
    "connect_bd_net": _connect("pin_nets"),
    "connect_bd_intf_net": _connect("interface_nets"),
    "save_bd_design": _nothing,
}
