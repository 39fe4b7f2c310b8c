"""The pipeline diagram: what its boxes and loops say."""

from __future__ import annotations

from finn_flow.report.data import Graph, ReportData
from finn_flow.report.diagram_layout import LoopText, lay_out
from finn_flow.report.diagram_parts import Content, Drawing
from finn_flow.report.files import LoopEstimate, NodeEstimate
from finn_flow.report.names import kind, short_name


def pipeline_diagram(graph: Graph, data: ReportData) -> Drawing:
    """Return the drawing of a pipeline, with each node's folding, cycles and share of the time in use."""
    estimates = data["estimates"]
    longest = max(1, estimates["network"]["cycles_per_frame"])
    contents = {entry["name"]: _content(entry, longest) for entry in estimates["nodes"]}
    feedback = {memory["node"]: memory for memory in data["memory"] or [] if memory["holds"] == "feedback"}
    loops = {}
    for loop in estimates["loops"]:
        memory = feedback.get(loop["name"])
        where = f" in {memory['style']}" if memory else ""
        loops[loop["name"]] = LoopText(_caption(loop), f"feedback FIFO, {loop['feedback_fifo_bits']:,} bits{where}")
    return lay_out(graph, contents, loops)


def describe(data: ReportData) -> str:
    """Return the diagram in words, for those who do not see it."""
    estimates = data["estimates"]
    outer = [entry for entry in estimates["nodes"] if not entry["loop"] and entry["op"] != "StreamingFIFO_rtl"]
    names = ", ".join(short_name(entry["name"], entry["op"]) for entry in outer)
    loops = "; ".join(f"{_caption(loop)}, {loop['body_nodes']} nodes in its body" for loop in estimates["loops"])
    return f"Frames stream through {names}. {loops}. The table of cycles lists every node."


def _content(entry: NodeEstimate, longest: int) -> Content:
    name = short_name(entry["name"], entry["op"])
    if entry["op"] == "StreamingDataWidthConverter_rtl":
        return Content("move", tuple(name.split(maxsplit=1)), entry["name"], narrow=True, node=entry["name"])
    folding = " ".join(f"{parameter} {value}" for parameter, value in entry["folding"].items())
    cycles = entry["cycles_per_frame"]
    busy = cycles / longest
    title = f"{entry['name']}: {cycles:,} cycles per frame, busy {busy:.0%} of the time"
    return Content(kind(entry["op"]), (name, folding, f"{cycles:,} cycles"), title, busy, node=entry["name"])


def _caption(loop: LoopEstimate) -> str:
    in_flight = loop["frames_in_flight"]
    frames = "1 frame" if in_flight == 1 else f"up to {in_flight} frames"
    passes, bodies = loop["iterations"], loop["bodies"]
    rounds = f"{passes} iterations"
    if bodies > 1:
        rounds = f"{passes * bodies} iterations by {bodies} bodies in a row, {passes} passes"
    return (
        f"ODE loop {loop['name'].rpartition('_')[2]}: {rounds} of {loop['body_ii_cycles']:,} "
        f"cycles = {loop['cycles_per_frame']:,} cycles per frame, {frames} in flight"
    )
