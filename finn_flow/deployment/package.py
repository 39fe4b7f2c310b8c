"""The deployment package: what the user takes to the board, as a folder and as a zip of it."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import finn_flow
from custom_ops.requantisation.writable import BANKS
from finn_flow.build_folder import BuildFolder
from finn_flow.deployment.driver import manifest as board_manifest
from finn_flow.deployment.driver import network as board_network
from finn_flow.deployment.driver.packing import StreamFormat
from finn_flow.deployment.driver.parameters import REGISTERS
from finn_flow.deployment.driver_sources import write_driver
from finn_flow.deployment.hardware.dma import build_id
from finn_flow.deployment.hardware.folder import SCRIPT, write_hardware
from finn_flow.deployment.network_description import NetworkDescription
from finn_flow.deployment.samples import Samples, load_samples
from finn_flow.deployment.settings import finn_settings
from finn_flow.errors import UserError
from finn_flow.files import check_writable_dir, disk_errors, replace_together, workspace_in
from finn_flow.json_files import read_json_object_if_there
from finn_flow.netlist.netlist import Netlist
from finn_flow.netlist.structure import Stream
from finn_flow.templates import fill_template

BOARD = "ZCU104"
NOTEBOOK = Path(__file__).parent / "accelerator.ipynb"
README = Path(__file__).parent / "README.md.in"
_WORKSPACE = ".deploy."
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Package:
    """A package that was made.

    Parameters
    ----------
    folder, archive
        Where it is.
    has_bitfile
        Whether Vivado's bitfile is in it; if not, the folder `hardware/` is.
    build_id
        Number that the hardware answers with.
    samples
        Number of sample images.
    files
        Number of files.
    """

    folder: Path
    archive: Path
    has_bitfile: bool
    build_id: int
    samples: int
    files: int


def make_package(build: Path, golden: Path | None = None, samples: int | None = None) -> Package:
    """Write `build`/deploy and `build`/deploy.zip, replacing what is there. The same build gives the same bytes.

    The folder is always a whole package, the old one or the new one, and an archive beside it is always of that folder,
    even if the process is killed.

    Parameters
    ----------
    build
        What `dsode build` wrote.
    golden
        Golden file of `dsode export` for the sample images; by default the build's own, or, where it has none, random
        images and what the hardware graph makes of them.
    samples
        Number of sample images; all golden ones by default.

    Raises
    ------
    UserError
        No build there, an accelerator that the driver cannot run, golden results of another network.
    FlowError
        The disk is full.
    """
    netlist = Netlist.load(BuildFolder(build).netlist)
    if len(netlist.inputs) != 1 or len(netlist.outputs) != 1:
        raise UserError(f"{build}: the driver runs accelerators with one input and one output")
    if golden is None and BuildFolder(build).golden.is_file():
        golden = BuildFolder(build).golden
    taken = load_samples(netlist, golden, samples)
    check_writable_dir(build)
    target, archive = BuildFolder(build).package, BuildFolder(build).package_archive
    with disk_errors(target), workspace_in(build, _WORKSPACE) as workspace:
        folder = workspace / target.name
        folder.mkdir()
        number = build_id(netlist)
        has_bitfile = _copy_bitfile(build, folder)
        if not has_bitfile:
            write_hardware(netlist, number, BOARD, folder / "hardware")
        _copy_driver(build, folder, netlist)
        taken.write(folder / "samples")
        shutil.copyfile(NOTEBOOK, folder / NOTEBOOK.name)
        (folder / "README.md").write_text(_readme(netlist, taken, has_bitfile))
        description = _describe(netlist, taken, folder)
        manifest = _manifest(build, folder, netlist, taken, number)
        manifest |= {} if description is None else {"parameters": description}
        (folder / board_manifest.FILE).write_text(json.dumps(manifest, indent=2) + "\n")
        _write_zip(folder, workspace / archive.name)
        replace_together([(folder, target), (workspace / archive.name, archive)])
    return Package(target, archive, has_bitfile, number, len(taken.images), len(manifest["files"]) + 1)


def _copy_bitfile(build: Path, folder: Path) -> bool:
    """Copy the bitfile and its hand-off where Vivado has made them."""
    bitfile = build / board_manifest.BITFILE
    handoff = bitfile.with_suffix(".hwh")
    if bitfile.is_file() != handoff.is_file():
        missing = handoff if bitfile.is_file() else bitfile
        raise UserError(f"{missing} is missing although the other of .bit and .hwh is there; build again")
    if bitfile.is_file():
        (folder / "bitfile").mkdir()
        for path in (bitfile, handoff):
            shutil.copyfile(path, folder / "bitfile" / path.name)
    return bitfile.is_file()


def _copy_driver(build: Path, folder: Path, netlist: Netlist) -> None:
    (folder / "driver").mkdir()
    write_driver(folder / "driver")
    settings = finn_settings(netlist)
    weights = build / "driver" / "runtime_weights"
    if weights.is_dir():
        shutil.copytree(weights, folder / "driver" / "runtime_weights", copy_function=shutil.copyfile)
        settings["driver_information"]["runtime_weights"] = True
    (folder / "driver" / "settings.json").write_text(json.dumps(settings, indent=2) + "\n")


def _describe(netlist: Netlist, samples: Samples, folder: Path) -> dict[str, Any] | None:
    """Write the network for NumPy where parameters are writable, and return the address map of the manifest."""
    if not netlist.has_writable_parameters:
        return None
    description = NetworkDescription.of(netlist.graph()).with_information(samples.images)
    (folder / board_network.FILE).write_bytes(description.to_bytes())
    network = board_network.Network.load(folder / board_network.FILE)
    return {
        "instance": netlist.top,
        "registers": REGISTERS,
        "banks": BANKS,
        "rows": {
            name: {"first": int(node.rows.min()), "uses": node.rows.shape[0], "channels": node.rows.shape[1]}
            for name, node in network.writable.items()
        },
    }


def _manifest(build: Path, folder: Path, netlist: Netlist, samples: Samples, number: int) -> dict[str, Any]:
    (source,), (sink,) = netlist.inputs.values(), netlist.outputs.values()
    (form,) = netlist.results
    cycles = _measured_cycles(build) or netlist.expected_cycles_per_frame
    return {
        "format": board_manifest.FORMAT,
        "version": finn_flow.__version__,
        "versions": netlist.versions,
        "board": BOARD,
        "device": netlist.fpgapart,
        "clock_mhz": 1e3 / netlist.clk_ns,
        "build_id": f"{number:08x}",
        "preprocessing": samples.preprocessing.to_json(),
        "class_names": samples.class_names,
        "values": None if form.labels else {"scale": form.scale, "offset": form.offset},
        "input": _format(source),
        "output": _format(sink),
        "expected": {
            "cycles_per_frame": cycles,
            "frames_per_second": 1e9 / (netlist.clk_ns * cycles),
            "sample_accuracy": samples.sample_accuracy,
            "accuracy": samples.accuracy,
        },
        "loops": [
            {"name": loop.name, "iterations": loop.iterations, "frames_in_flight": loop.frames_in_flight}
            for loop in netlist.loops.values()
        ],
        "folding": read_json_object_if_there(BuildFolder(build).folding),
        "files": {name: board_manifest.sha256(folder / name) for name in _names(folder)},
    }


def _measured_cycles(build: Path) -> float | None:
    """Cycles per frame as simulated when the FIFOs were sized."""
    report = read_json_object_if_there(BuildFolder(build).fifo_sizing)
    return None if report is None else report.get("cycles_per_frame")


def _format(stream: Stream) -> dict[str, Any]:
    signed = stream.datatype.startswith("INT")
    return StreamFormat(stream.shape[1:], stream.bits, signed, stream.pe).to_json()


def _readme(netlist: Netlist, samples: Samples, has_bitfile: bool) -> str:
    made = (
        "It is in `bitfile/`."
        if has_bitfile
        else (
            "It is not in this package, because Vivado was not there when it was made. Copy the whole package to a\n"
            f"machine that has Vivado and the {BOARD}'s board files, and run there, in `hardware/`:\n\n"
            f"    vivado -mode batch -source {SCRIPT}\n\n"
            "It builds `bitfile/finn-accel.bit` and `.hwh` beside `hardware/`. The script has been executed with\n"
            "Vivado's commands recorded and checked; it has not been run in Vivado."
        )
    )
    height, width = samples.preprocessing.image_size
    values = {
        "BOARD": BOARD,
        "BITFILE": made,
        "RESULT": f"{len(samples.class_names)} classes" if samples.class_names else "values as its result",
        "SIZE": f"{height} x {width}",
        "COLOUR": "grey" if samples.preprocessing.channels == 1 else "RGB",
        "CLOCK": f"{1e3 / netlist.clk_ns:g}",
        "SAMPLES": str(len(samples.images)),
        "SOURCE": samples.source,
    }
    return fill_template(README, values)


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _write_zip(folder: Path, path: Path) -> None:
    """All files below one folder `deploy/`, in order, without anything that differs from run to run."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in _names(folder):
            entry = zipfile.ZipInfo(f"{folder.name}/{name}", _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, (folder / name).read_bytes(), compresslevel=6)
