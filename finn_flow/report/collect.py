"""Gathering what a build folder holds into one object."""

from __future__ import annotations

import math
import shlex
from pathlib import Path

from qonnx.core.modelwrapper import ModelWrapper

from brevitas_models.training.results import METRICS_FILE
from finn_flow.build_folder import NETLIST_FILE, BuildFolder
from finn_flow.errors import UserError
from finn_flow.estimates.boards import BOARD_RESOURCES
from finn_flow.fifo_sizing.certificate import check_certificate
from finn_flow.finn_adapter.environment import ensure_finn
from finn_flow.folding.utilisation import MultiplierUse, multiplier_use, total_use
from finn_flow.netlist import Netlist
from finn_flow.report.data import FORMAT, Deadlock, Headline, Missing, Multipliers, ReportData, ResourceRow
from finn_flow.report.files import (
    Configuration,
    Estimates,
    FIFOSizing,
    GoldenNotes,
    Seconds,
    SimulationResult,
    Synthesis,
    Timelines,
    Timing,
    Training,
    read,
)
from finn_flow.report.memory_map import memory_map
from finn_flow.report.pipeline import pipeline
from finn_flow.report.seen import what_it_sees
from finn_flow.report.top_ports import check_top_ports

DEFAULT_BOARD = "ZCU104"
DEFAULT_PART = "xczu7ev-ffvc1156-2-e"


def collect(folder: Path, training: Path | None = None) -> ReportData:
    """Gather the report of the build in `folder`.

    Parameters
    ----------
    training
        Folder of `dsode train`; by default what the export kept of the training that made the model, or the folder
        around the build, if that is one.

    Raises
    ------
    UserError
        No build in `folder`, no training in `training`, or a damaged file; the message names it.
    """
    ensure_finn()
    import custom_ops  # noqa: F401  (registers the hardware ops)

    place = BuildFolder(folder).existing()
    estimates = read(place.estimates, Estimates)
    assert estimates is not None  # `existing` has seen it
    golden = read(place.golden_notes, GoldenNotes)
    metrics = read((training or folder.absolute().parent) / METRICS_FILE, Training)
    if training is None and golden is not None and "training" in golden:
        metrics = golden["training"]
    if training is not None and metrics is None:
        raise UserError(f"{training} holds no training ({METRICS_FILE} is missing); make one with `dsode train`")
    netlist = Netlist.load(place.netlist) if (place.netlist / NETLIST_FILE).is_file() else None
    graph = next((path for path in (place.graph, place.step_model("step_report_estimates")) if path.is_file()), None)
    model = None if graph is None else ModelWrapper(str(graph))
    configuration = read(place.configuration, Configuration)
    board = (configuration or Configuration()).get("board", DEFAULT_BOARD)
    synthesis = read(place.synthesis, Synthesis)
    fifos = read(place.fifo_sizing, FIFOSizing)
    simulation, stalled = (read(place.simulation(paused), SimulationResult) for paused in (False, True))
    cycles, cycles_source = _cycles(estimates, fifos, simulation)
    uses = None if model is None else _multipliers(model, cycles)
    accuracy, accuracy_of = _accuracy(metrics, golden, simulation)
    period_ns = 1e3 / estimates["network"]["clock_mhz"]
    target_fps = (configuration or Configuration()).get("target_fps")
    headline = Headline(
        cycles_per_frame=cycles,
        cycles_source=cycles_source,
        frames_per_second=1e9 / (period_ns * cycles),
        clock_mhz=estimates["network"]["clock_mhz"],
        latency_cycles=simulation["first_frame_latency_cycles"] if simulation else None,
        target_cycles=math.floor(1e9 / (period_ns * target_fps)) if target_fps else None,
        target_fps=target_fps,
        limited_by=estimates["network"]["limited_by"],
        multiplier_utilisation=uses[-1]["utilisation"] if uses else None,
        accuracy=accuracy,
        accuracy_of=accuracy_of,
    )
    data = ReportData(
        format=FORMAT,
        name=_name(golden, metrics) or folder.absolute().name,
        build=folder.absolute().name,
        board=board,
        headline=headline,
        pipeline=None if model is None else pipeline(model),
        estimates=estimates,
        multipliers=uses,
        resources=_resources(estimates, synthesis, board),
        synthesis=synthesis,
        timing=read(place.timing, Timing),
        fifos=fifos,
        deadlock=None if netlist is None else _deadlock(place, netlist),
        simulation=simulation,
        simulation_stalled=stalled,
        training=metrics,
        golden=golden,
        timeline=read(place.timeline, Timelines),
        seen=what_it_sees(place),
        memory=None if model is None else memory_map(model, netlist.fpgapart if netlist else DEFAULT_PART),
        ports=None if netlist is None else check_top_ports(netlist),
        configuration=configuration,
        seconds_per_step=read(place.step_times, Seconds),
        versions=netlist.versions if netlist else {},
        missing=[],
    )
    data["missing"] = _missing(data, folder)
    return data


def _deadlock(place: BuildFolder, netlist: Netlist) -> Deadlock | None:
    """Return what comes of holding the build's certificate against its netlist."""
    check = check_certificate(place.deadlock_certificate, netlist)
    return None if check is None else Deadlock(joins=check.joins, fifos=check.fifos, stuck=list(check.stuck))


def _name(golden: GoldenNotes | None, metrics: Training | None) -> str:
    """Return what to call the network: kind, channels, bits, and what for; "" where that is not known."""
    if golden is None or "network" not in golden:
        return ""
    network = golden["network"]
    family = "dsODENet" if network["convolution"] == "depthwise_separable" else "ODENet"
    channels = "-".join(str(count) for count in network["channels"])
    domains = f"{metrics['source']} to {metrics['target']}" if metrics else golden["dataset"]
    return f"{family} {channels}, {network['weight_bits']} bits, {domains}"


def _cycles(estimates: Estimates, fifos: FIFOSizing | None, simulation: SimulationResult | None) -> tuple[float, str]:
    """Return the best-founded cycles per frame, and where they are from."""
    if simulation is not None and simulation["cycles_per_frame"] is not None:
        return simulation["cycles_per_frame"], "simulated"
    if fifos is not None:
        return fifos["cycles_per_frame"], "simulated while sizing FIFOs"
    return estimates["network"]["cycles_per_frame"], "estimated"


def _accuracy(
    metrics: Training | None, golden: GoldenNotes | None, simulation: SimulationResult | None
) -> tuple[float | None, str]:
    """Return the best-founded accuracy of the quantised network, and what it is of."""
    if metrics is not None and "quantised" in metrics["accuracy"]:
        count = f"{metrics['test_images']['target']:,} images of " if "test_images" in metrics else ""
        return metrics["accuracy"]["quantised"]["target"], f"quantised, on {count}{metrics['target']}"
    if golden is not None and golden.get("accuracy") is not None:
        return golden["accuracy"], f"quantised, on {golden['dataset']}"
    if simulation is not None and simulation["accuracy"] is not None:
        return simulation["accuracy"], f"on {simulation['frames']:,} simulated images"
    return None, ""


def _multipliers(model: ModelWrapper, cycles_per_frame: float) -> list[Multipliers]:
    """Return the use of each node's multipliers at so many cycles per frame, and of all at the end."""
    uses = multiplier_use(model)

    def row(use: MultiplierUse) -> Multipliers:
        utilisation = use.macs / (use.multipliers * cycles_per_frame)
        return Multipliers(name=use.name, macs=use.macs, multipliers=use.multipliers, utilisation=utilisation)

    return [row(use) for use in (*uses, total_use(uses))] if uses else []


def _resources(estimates: Estimates, synthesis: Synthesis | None, board: str) -> list[ResourceRow]:
    estimated = estimates["resources"]
    synthesised = synthesis["shares"] if synthesis else {}
    return [
        ResourceRow(
            resource=name,
            available=available,
            estimated=estimated[name]["estimated"] if name in estimated else None,
            synthesised=synthesised[name]["used"] if name in synthesised else None,
        )
        for name, available in BOARD_RESOURCES[board].items()
    ]


def _missing(data: ReportData, folder: Path) -> list[Missing]:
    """Return what is not there, with commands as they would be typed where the report was asked for."""
    place = shlex.quote(str(folder))
    simulate = f"dsode simulate {place}" + ("" if BuildFolder(folder).golden.is_file() else " --golden golden.npz")
    build = f"dsode build build_configs/zcu104.json --model model.onnx --out {place}"
    wanted = [
        (data["ports"], "Netlist, FIFO depths and ports", build),
        (data["pipeline"], "Pipeline and memory map", build),
        (data["configuration"], "Build configuration", build),
        (data["simulation"], "Exactness and measured cycles", simulate),
        (
            data["simulation_stalled"],
            "Exactness under pauses",
            f"{simulate} --stall 0.3",
        ),
        (data["timeline"], "The wavefront, and FIFOs over time", f"dsode timeline {place}"),
        (data["synthesis"], "Resources by open synthesis", f"dsode synth {place}"),
        (data["timing"], "Slowest paths, an estimate", f"dsode timing {place}"),
        (data["training"], "Accuracy in training", f"dsode report {place} --training FOLDER"),
    ]
    return [Missing(what=what, command=command) for found, what, command in wanted if found is None]
