"""The report's tables."""

from __future__ import annotations

from brevitas_models.training.results import LABELS
from finn_flow.report.data import Memory, Multipliers, Ports, ReportData, ResourceRow
from finn_flow.report.files import Estimates, FIFOSizing, NodeFound, Seconds, Synthesis, Timing, Training
from finn_flow.synthesis.report import COMPARED
from finn_flow.tables import Cell, Table

NOT_VIVADO = "open-synthesis estimate, not Vivado"


def loops(estimates: Estimates) -> Table:
    """Return iterations and cycles of each loop."""
    columns = ("Loop", "Iterations", "Bodies", "Cycles per pass", "Cycles per frame", "Frames in flight")
    rows = [
        (
            loop["name"],
            loop["iterations"] * loop["bodies"],
            loop["bodies"],
            loop["body_ii_cycles"],
            loop["cycles_per_frame"],
            loop["frames_in_flight"],
            loop["feedback_fifo_bits"],
            loop["limited_by"],
        )
        for loop in estimates["loops"]
    ]
    return Table("ODE loops", (*columns, "Feedback FIFO, bits", "Limited by"), rows)


def nodes(estimates: Estimates) -> Table:
    """Return folding and cycles of each node but FIFOs."""
    longest = max(1, estimates["network"]["cycles_per_frame"])
    rows = []
    for node in estimates["nodes"]:
        if node["op"] != "StreamingFIFO_rtl":
            folding = " ".join(f"{name}={value}" for name, value in node["folding"].items())
            cycles = node["cycles_per_pass"], node["iterations"], node["cycles_per_frame"]
            rows.append((node["name"], folding, *cycles, 100 * node["cycles_per_frame"] / longest))
    columns = ("Node", "Folding", "Cycles per pass", "Passes", "Cycles per frame", "Busy, %")
    return Table("Cycles of each node", columns, rows)


def multipliers(uses: list[Multipliers]) -> Table:
    """Return the work of each node's multipliers."""
    rows = [(use["name"], use["macs"], use["multipliers"], 100 * use["utilisation"]) for use in uses]
    columns = ("Node", "Multiply-accumulates per frame", "Multipliers", "Utilisation, %")
    return Table("Use of the multipliers", columns, rows)


def resources(rows: list[ResourceRow], board: str) -> Table:
    """Return estimates beside what the board has."""

    def share(used: float | None, available: int) -> float | None:
        return None if used is None else 100 * used / available

    cells = [
        (
            row["resource"],
            row["available"],
            row["estimated"],
            share(row["estimated"], row["available"]),
            row["synthesised"],
            share(row["synthesised"], row["available"]),
        )
        for row in rows
    ]
    columns = ("Resource", f"On the {board}", "Quick estimate", "Share, %", "Open synthesis", "Share, %")
    return Table(f"Resources against the board (synthesis: {NOT_VIVADO})", columns, cells)


def estimate_errors(synthesis: Synthesis) -> Table:
    """Return, per node type, the quick estimates beside open synthesis."""
    rows: list[tuple[Cell, ...]] = []
    for entry in synthesis["estimate_errors"]:
        pairs = [figure for name in COMPARED for figure in (entry[name]["estimate"], entry[name]["synthesis"])]
        rows.append((entry["op"], entry["nodes"], *pairs, entry["lut_error_percent"], entry["worst_lut_error_percent"]))
    compared = [f"{name}, {source}" for name in COMPARED for source in ("estimate", "synthesis")]
    columns = ("Node type", "Nodes", *compared, "LUT error, %", "Worst node, %")
    return Table(f"Quick estimates against synthesis ({NOT_VIVADO}), by node type", columns, rows)


def slowest_paths(timing: Timing) -> Table:
    """Return the slowest paths by the delay model, slowest first."""
    paths = [entry["path"] for entry in timing["paths"]]
    rows = [(path["end"], path["start"], float(path["delay_ns"])) for path in paths]
    return Table(f"Slowest paths ({timing['what']})", ("To", "From", "ns"), rows)


def fan_outs(timing: Timing) -> Table:
    """Return the nets that have very many loads."""
    return Table("Nets with very many loads", ("Net", "Loads"), list(timing["fan_outs"].items()))


def node_resources(estimates: Estimates, synthesis: Synthesis | None) -> Table:
    """Return the resources of each node; open synthesis's columns only where it was run."""
    found = {} if synthesis is None else {node["name"]: node["resources"] for node in synthesis["nodes"]}
    rows: list[tuple[Cell, ...]] = []
    for node in estimates["nodes"]:
        quick = (node["resources"][name] for name in COMPARED)
        rows.append((node["name"], *quick, *(_synthesised(found.get(node["name"])) if found else ())))
    names = ("LUT", "FF", "DSP", "BRAM36", "URAM") if found else ()
    columns = ("Node", *(f"{name}, estimate" for name in COMPARED), *(f"{name}, synthesis" for name in names))
    return Table("Resources of each node" + (f" (synthesis: {NOT_VIVADO})" if found else ""), columns, rows)


def _synthesised(node: NodeFound | None) -> tuple[Cell, ...]:
    if node is None:
        return (None,) * 5
    return node["lut_total"], node["ff"], node["dsp48e2"], node["bram36"], node["uram288"]


def fifos(sizes: FIFOSizing) -> Table:
    """Return the FIFOs, those that were found not to be needed included."""
    rows = [
        (
            fifo["name"],
            fifo["tensor"],
            fifo["width_bits"],
            fifo["words_per_frame"],
            fifo["max_occupancy"],
            fifo["depth"],
        )
        for fifo in sizes["fifos"]
    ]
    columns = ("FIFO", "After", "Width, bits", "Words per frame", "Most words held", "Depth, words (0: none)")
    return Table("FIFO depths, from simulation", columns, rows)


def simulations(data: ReportData) -> Table:
    """Return the last simulations without and with pauses."""
    rows: list[tuple[Cell, ...]] = []
    for result in (data["simulation"], data["simulation_stalled"]):
        if result is not None:
            pauses = f"in {100 * result['stall']:.0f} % of the cycles" if result["stall"] else "none"
            accuracy = None if result["accuracy"] is None else 100 * result["accuracy"]
            cycles = result["cycles_per_frame"], result["first_frame_latency_cycles"]
            rows.append((pauses, result["frames"], result["mismatches"], accuracy, *cycles, result["golden"]))
    columns = ("Pauses of source and sink", "Frames", "Frames that differ", "Accuracy, %", "Cycles per frame")
    return Table("Simulated netlist against golden results", (*columns, "Latency, cycles", "Golden results"), rows)


def training(metrics: Training) -> Table:
    """Return the accuracies of each phase of a training."""
    rows = [
        (LABELS.get(phase, phase), 100 * accuracy["source"], 100 * accuracy["target"])
        for phase, accuracy in metrics["accuracy"].items()
    ]
    columns = ("Network", f"Accuracy on {metrics['source']}, %", f"Accuracy on {metrics['target']}, %")
    return Table("Accuracy in training", columns, rows)


def memory_sums(memories: list[Memory]) -> Table:
    """Return how much is stored of what, and where."""
    sums: dict[tuple[str, str], list[int]] = {}
    for memory in memories:
        sums.setdefault((memory["holds"], memory["style"]), []).append(memory["bits"])
    rows: list[tuple[Cell, ...]] = [(*key, len(bits), sum(bits)) for key, bits in sorted(sums.items())]
    rows.append(("everything", "all of these", len(memories), sum(memory["bits"] for memory in memories)))
    return Table("What is stored on the chip", ("Content", "In", "Memories", "Bits"), rows)


def memory(memories: list[Memory]) -> Table:
    """Return every memory."""
    rows = [(found["node"], found["holds"], found["style"], found["bits"]) for found in memories]
    return Table("Memory map", ("Node", "Content", "In", "Bits"), rows)


def ports(found: Ports) -> Table:
    """Return the ports of the top module."""
    rows = [(port["name"], port["direction"], port["bits"], port["role"]) for port in found["ports"]]
    return Table(f"Ports of the top module {found['top']}", ("Port", "Direction", "Bits", "Part of"), rows)


def seconds_per_step(seconds: Seconds) -> Table:
    """Return how long the steps of the build took."""
    return Table("Time of the build", ("Step", "Seconds"), [(name.replace("_", " "), n) for name, n in seconds.items()])


def versions(found: dict[str, str]) -> Table:
    """Return the versions of the packages that made the netlist."""
    return Table("Versions that made the netlist", ("Package", "Version"), list(found.items()))
