"""The folder `hardware/` of a package: all that Vivado needs to build the bitfile."""

from __future__ import annotations

import shutil
from pathlib import Path

from finn_flow.deployment.hardware.dma import RTL, dma_sources
from finn_flow.errors import UserError
from finn_flow.netlist.netlist import Netlist
from finn_flow.templates import fill_template

SCRIPT, CONSTRAINTS, SOURCES, DATA = "build.tcl", "accelerator.xdc", "sources.f", "data.f"
BOARD_PARTS = {"ZCU104": ("xczu7ev-ffvc1156-2-e", "xilinx.com:zcu104:part0:1.1")}
"""Device and Vivado's name of each board."""


def write_hardware(netlist: Netlist, build_id: int, board: str, folder: Path) -> None:
    """Write `folder`: `rtl/` (the netlist), `dma/`, constraints, file lists, and the script that builds the bitfile.

    Parameters
    ----------
    netlist
        With one input and one output.
    build_id
        Number that the hardware answers with.
    board
        One of `BOARD_PARTS`.

    Raises
    ------
    UserError
        Another board, or a netlist made for another device.
    """
    if board not in BOARD_PARTS:
        raise UserError(f"no block design for the board {board}; there is one for {', '.join(BOARD_PARTS)}")
    part, board_part = BOARD_PARTS[board]
    if netlist.fpgapart.lower() != part:
        raise UserError(f"the netlist is made for {netlist.fpgapart}, not for the {board}'s {part}")
    sources = []
    for name in (*netlist.sources, *netlist.data_files):
        target = folder / "rtl" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(netlist.folder / name, target)
    sources += [f"rtl/{name}" for name in netlist.sources]
    (folder / "dma").mkdir()
    for name, text in dma_sources(netlist, build_id).items():
        (folder / "dma" / name).write_text(text)
        sources.append(f"dma/{name}")
    (folder / SOURCES).write_text("".join(f"{name}\n" for name in sources))
    (folder / DATA).write_text("".join(f"rtl/{name}\n" for name in netlist.data_files))
    values = {
        "BOARD": board,
        "PART": part,
        "BOARD_PART": board_part,
        "CLOCK_MHZ": f"{1e3 / netlist.clk_ns:.3f}",
        "HAS_CLOCK2X": str(int(netlist.modules[netlist.top].has_clock2x)),
        "HAS_CONTROL": str(int(netlist.has_writable_parameters)),
        "TOP": netlist.top,
    }
    period = {"PERIOD_NS": f"{netlist.clk_ns:.3f}"}
    for name, fills in ((SCRIPT, values), (CONSTRAINTS, period)):
        (folder / name).write_text(fill_template(RTL.parent / f"{name}.in", fills))
