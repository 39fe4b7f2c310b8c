"""Stand-ins for the executables `vivado` and `vitis_hls`, which run FINN's scripts under the recorder; `finn build`."""

import json
import os
import re
import shlex
import sys
import tkinter
from pathlib import Path

from tests.finn_flow.deployment.hardware.finn_vivado import FinnVivado, write_component
from tests.places import ROOT

RECORD = ".recorded.json"
HLS_COMMANDS = (
    *("open_project", "set_top", "open_solution", "set_part", "set_param", "create_clock", "csynth_design"),
    *("export_design", "config_compile", "config_interface", "config_rtl"),
)


def install(folder: Path) -> dict[str, str]:
    """Put the executables into `folder`; returns the variables with which FINN finds them."""
    root = ROOT
    for tool in ("vivado", "vitis_hls"):
        command = shlex.join([sys.executable, "-m", __name__, tool])
        (folder / tool).write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(root))} exec {command} "$@"\n')
        (folder / tool).chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "XILINX_VIVADO": str(folder / "2024.1")}


def vitis_hls(script: Path) -> None:
    """Run the script of one HLS node, an IODMA, and make its IP; its streams are those of its pragmas."""
    tcl = tkinter.Tcl()
    for command in HLS_COMMANDS:
        tcl.createcommand(command, lambda *_: "")
    tcl.createcommand("add_files", _check_sources)
    tcl.eval("proc exit {status} {}")
    tcl.eval(f"source {{{script}}}")
    node = script.stem.removeprefix("hls_syn_")
    streams = re.findall(r"#pragma HLS INTERFACE axis port=(\w+)", (script.parent / f"top_{node}.cpp").read_text())
    folder = script.parent / f"project_{node}" / "sol1" / "impl" / "ip"
    folder.mkdir(parents=True)
    slaves = {name: name.startswith("in") for name in streams}
    interfaces, pins = ["m_axi_gmem", "s_axi_control"], ["ap_clk", "ap_rst_n"]
    write_component(folder, f"xilinx.com:hls:{node}:1.0", slaves, interfaces, pins)


def _check_sources(source: str, option: str, flags: str) -> str:
    folders = [flag.removeprefix("-I") for flag in flags.split() if flag.startswith("-I")]
    missing = [name for name in (source, *folders) if not Path(name).exists()]
    if missing:
        raise FileNotFoundError(f"add_files: {', '.join(missing)} missing")
    return ""


def vivado(script: Path) -> None:
    """Run a script and write what it has made beside it."""
    recorder = FinnVivado()
    recorder.run(script)
    record = {
        "cells": {name: cell.kind for name, cell in recorder.block.cells.items()},
        "groups": [sorted(group) for group in recorder.block.groups],
        "addresses": {name: offset for name, (offset, _) in recorder.addresses.items()},
        "files": [str(path) for path in recorder.files],
        "properties": [[*key, value] for key, value in recorder.properties.items()],
    }
    script.with_suffix(RECORD).write_text(json.dumps(record))


def finn_build(arguments: list[str]) -> None:
    """Run `finn build` itself; only Vivado's simulator, which FINN wants to see compiled, is our Verilator back end."""
    import finn.xsi
    from finn.interface.run_finn import build

    from finn_flow.finn_adapter import xsi

    for name in xsi.NAMES:
        setattr(finn.xsi, name, getattr(xsi, name))
    finn.xsi.ensure_available = lambda: None
    build.main(arguments)


if __name__ == "__main__":
    if sys.argv[1] == "finn":
        finn_build(sys.argv[2:])
    else:
        {"vivado": vivado, "vitis_hls": vitis_hls}[sys.argv[1]](Path(sys.argv[-1]))
