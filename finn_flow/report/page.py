"""The report as one HTML page that needs nothing else: styles, diagram and plots are in it."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import finn_flow
from finn_flow.report import plots, tables
from finn_flow.report.data import ReportData
from finn_flow.report.diagram import describe, pipeline_diagram
from finn_flow.synthesis.resources import LABEL

TEMPLATES = Path(__file__).parent / "templates"
NO_FIGURE = "–"  # noqa: RUF001 (an en dash, as tables have it)


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
    return environment.get_template("page.html").render(
        data=data,
        headline=data["headline"],
        style=Markup((TEMPLATES / "style.css").read_text()),
        drawing=None if graph is None else pipeline_diagram(graph, data),
        drawing_words=describe(data),
        plots=_plots(data),
        tables=tables,
        synthesis_label=LABEL,
        version=finn_flow.__version__,
    )


def figure(value: tables.Cell, digits: int = 1) -> str:
    """Return a cell as text: whole numbers with thousands separated, others with `digits` digits."""
    match value:
        case None:
            return NO_FIGURE
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.{digits}f}"
    return str(value)


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
    return {name: Markup(plots.themed(svg, name, title, words)) for name, (svg, title, words) in found.items()}
