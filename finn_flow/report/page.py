"""The report as one HTML page that needs nothing else: styles, diagram and plots are in it."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import finn_flow
from finn_flow.report import plots, tables
from finn_flow.report.areas import area_plots
from finn_flow.report.data import Memory, ReportData
from finn_flow.report.diagram import describe, pipeline_diagram
from finn_flow.report.fifo_plot import fifo_plot
from finn_flow.report.wavefront import wavefront
from finn_flow.synthesis.resources import LABEL
from finn_flow.tables import figure

WIDE = ("wavefront", "wavefront-lone", "fifos", "area-lut", "area-dsp", "area-bits")
"""Plots that take the page's whole width."""

TEMPLATES = Path(__file__).parent / "templates"


def render(data: ReportData) -> str:
    """Return the page of a report."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = figure
    graph = data["pipeline"]
    script = (TEMPLATES / "page.js").read_text()
    return environment.get_template("page.html").render(
        data=data,
        headline=data["headline"],
        style=Markup((TEMPLATES / "style.css").read_text()),
        drawing=None if graph is None else pipeline_diagram(graph, data),
        drawing_words=describe(data),
        plots=_plots(data),
        wide=WIDE,
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        tables=tables,
        content_shares=content_shares(data["memory"]),
        synthesis_label=LABEL,
        version=finn_flow.__version__,
    )


def _plots(data: ReportData) -> dict[str, Markup]:
    """Return the plots for which there are figures, by name."""
    headline, estimates, training = data["headline"], data["estimates"], data["training"]
    places = {node["name"]: (node["op"], node["loop"]) for node in estimates["nodes"]}
    found = {
        "cycles": (
            plots.cycles_plot(estimates, headline["target_cycles"], headline["cycles_per_frame"]),
            "Cycles per frame of each node",
            "Bars, one per node, with lines for the whole network and the target. The figures are in the tables.",
        ),
        "resources": (
            plots.resources_plot(data["resources"]),
            f"Share of the {data['board']}'s resources",
            "Bars, one per resource and source. The figures are in the table of resources.",
        ),
    }
    if data["multipliers"]:
        found["multipliers"] = (
            plots.multipliers_plot(data["multipliers"][:-1], places),
            "Use of each node's multipliers",
            "Bars, one per node that multiplies. The figures are in the table.",
        )
    if data["memory"]:
        found["memory"] = (
            plots.memory_plot(data["memory"]),
            "Bits stored on the chip",
            "Bars, one per kind of content, divided by kind of memory. The figures are in the table.",
        )
    if training and training["history"]:
        found["accuracy"] = (
            plots.accuracy_plot(training["history"], training["target"]),
            f"Accuracy on {training['target']} over the epochs",
            "A line with one point per epoch; the last figures of each phase are in the table.",
        )
    if data["timeline"]:
        lone, several = data["timeline"]["lone"], data["timeline"]["several"]
        words = "A row per node, a bar per pass of a frame, from its first word out to its last, coloured by pass."
        found["wavefront-lone"] = wavefront(lone), "One frame through the accelerator, over time", words
        found["wavefront"] = wavefront(several), f"{several['frames']} frames back to back, over time", words
        if several["fifos"]:
            found["fifos"] = (
                fifo_plot(several),
                "Words that each FIFO holds, over time",
                "An area per FIFO; the most that each held and its depth are beside it.",
            )
    found |= area_plots(data)
    return {name: Markup(plots.themed(svg, name, title, words)) for name, (svg, title, words) in found.items()}


def content_shares(memories: list[Memory] | None) -> list[tuple[str, float]]:
    """Return what is stored on the chip, as shares of all bits, the largest first."""
    sums: dict[str, int] = {}
    for memory in memories or []:
        sums[memory["holds"]] = sums.get(memory["holds"], 0) + memory["bits"]
    total = max(1, sum(sums.values()))
    return sorted(((name, bits / total) for name, bits in sums.items()), key=lambda entry: -entry[1])
