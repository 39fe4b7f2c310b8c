"""The report's plots, as SVG to put into a page."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal
from xml.sax.saxutils import escape

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from finn_flow.report.data import Memory, Multipliers, ResourceRow
from finn_flow.report.files import Epoch, Estimates
from finn_flow.report.memory_map import BY_SYNTHESIS, SHIFT_REGISTERS, STYLES
from finn_flow.report.names import full_short_name, kind
from finn_flow.report.tables import NOT_VIVADO

COLOURS = {
    "ink": "#1c2630",
    "line": "#c9d1d9",
    "multiply": "#2f6db5",
    "threshold": "#b26a00",
    "loop": "#2b7d4f",
    "move": "#77838f",
    "accent": "#b3261e",
}
"""Colours of plots by the names of the page's CSS variables, which replace them there."""

_SETTINGS = {
    # Text stays text, and equal data give equal files.
    "svg.fonttype": "none",
    "svg.hashsalt": "dsode report",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": COLOURS["ink"],
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.6,
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
    "ytick.major.size": 0,
    "legend.frameon": False,
}
_SOURCES: dict[Literal["estimated", "synthesised"], tuple[str, str]] = {
    "estimated": ("quick estimate", COLOURS["move"]),
    "synthesised": (NOT_VIVADO, COLOURS["multiply"]),
}
_STYLE_COLOURS = {
    STYLES["distributed"]: COLOURS["multiply"],
    SHIFT_REGISTERS: COLOURS["loop"],
    STYLES["block"]: COLOURS["threshold"],
    STYLES["ultra"]: COLOURS["accent"],
    BY_SYNTHESIS: COLOURS["move"],
}
_INCHES_PER_BAR = 0.21
_FAR = 4
"""A target of more than so many times the longest bar is not drawn: it would press the bars together."""


@rc_context(_SETTINGS)
def cycles_plot(estimates: Estimates, target_cycles: int | None, measured_cycles: float) -> str:
    """Return bars of each node's cycles per frame, with lines for the target and what was measured for the whole."""
    nodes = [node for node in estimates["nodes"] if node["cycles_per_frame"]]
    figure, axes = _bars_figure([full_short_name(node["name"], node["op"], node["loop"]) for node in nodes])
    colours = [COLOURS[kind(node["op"])] for node in nodes]
    axes.barh(range(len(nodes)), [node["cycles_per_frame"] for node in nodes], color=colours, height=0.7)
    axes.axvline(measured_cycles, color=COLOURS["ink"], linewidth=1.2, label=f"whole network, {measured_cycles:,.0f}")
    if target_cycles is not None and target_cycles <= _FAR * measured_cycles:
        label = f"target, {target_cycles:,}"
        axes.axvline(target_cycles, color=COLOURS["accent"], linewidth=1.2, linestyle="--", label=label)
    axes.set_xlabel("cycles per frame")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    _legend(figure)
    return _svg(figure)


@rc_context(_SETTINGS)
def multipliers_plot(uses: list[Multipliers], ops: Mapping[str, tuple[str, str]]) -> str:
    """Return bars of the share of the time in which each node's multipliers work; `ops`: op and loop by node."""
    figure, axes = _bars_figure([full_short_name(use["name"], *ops[use["name"]]) for use in uses])
    bars = axes.barh(
        range(len(uses)), [100 * use["utilisation"] for use in uses], color=COLOURS["multiply"], height=0.7
    )
    axes.bar_label(bars, [f"{100 * use['utilisation']:.0f} %" for use in uses], padding=3)
    _percent_axis(axes, "cycles in which the multipliers work, %")
    return _svg(figure)


@rc_context(_SETTINGS)
def resources_plot(rows: list[ResourceRow]) -> str:
    """Return the shares of the board, a bar for each source that has a figure."""
    figure, axes = _bars_figure([row["resource"] for row in rows], inches_per_bar=2 * _INCHES_PER_BAR)
    sources = [source for source in _SOURCES if any(row[source] is not None for row in rows)]
    height = 0.7 / max(1, len(sources))
    for number, source in enumerate(sources):
        label, colour = _SOURCES[source]
        offset = height * (number - (len(sources) - 1) / 2)
        known = [
            (position, 100 * used / row["available"])
            for position, row in enumerate(rows)
            if (used := row[source]) is not None
        ]
        bars = axes.barh(
            [position + offset for position, _ in known],
            [share for _, share in known],
            color=colour,
            height=height,
            label=label,
        )
        axes.bar_label(bars, [f"{share:.1f} %" for _, share in known], padding=3)
    _percent_axis(axes, "share of the board, %")
    _legend(figure)
    return _svg(figure)


@rc_context(_SETTINGS)
def memory_plot(memories: list[Memory]) -> str:
    """Return bars of the bits stored, by what they are, divided by what they are stored in."""
    kinds = list(dict.fromkeys(memory["holds"] for memory in memories))
    figure, axes = _bars_figure(kinds)
    starts = np.zeros(len(kinds))
    for style, colour in _STYLE_COLOURS.items():
        sums = np.zeros(len(kinds))
        for memory in memories:
            # Thresholds whose last stages alone are in block RAM count as that.
            if memory["style"].partition(" from")[0] == style:
                sums[kinds.index(memory["holds"])] += memory["bits"] / 1024
        if sums.any():
            axes.barh(range(len(kinds)), sums, left=starts, color=colour, height=0.7, label=style)
        starts += sums
    axes.set_xlabel("Kibit")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    _legend(figure)
    return _svg(figure)


@rc_context(_SETTINGS)
def accuracy_plot(history: list[Epoch], target: str) -> str:
    """Return the accuracy on the target domain over the epochs of a training."""
    figure = _figure(2.6)
    axes = figure.subplots()
    epochs = range(1, len(history) + 1)
    axes.plot(epochs, [100 * entry["target_accuracy"] for entry in history], marker="o", color=COLOURS["multiply"])
    for before, (last, following) in enumerate(pairwise(history), start=1):
        if last["phase"] != following["phase"]:
            axes.axvline(before + 0.5, color=COLOURS["move"], linewidth=1, linestyle=":")
    axes.set_xlabel("epoch; dotted lines: float adaptation and quantisation begin")
    axes.set_ylabel(f"accuracy on {target}, %")
    axes.grid(axis="both")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _svg(figure)


def themed(svg: str, name: str, title: str, description: str) -> str:
    """Make a plot a part of a page: its colours become the page's variables, its ids begin with `name`.

    `title` and `description` are what a screen reader says; plain text.
    """
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for variable, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{variable})")
    words = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>'
    label = f'<svg class="plot" role="img" aria-labelledby="{name}-title {name}-desc"'
    return re.sub(r"<svg\b([^>]*)>", rf"{label}\g<1>>{words}", svg, count=1)


def _figure(height_inches: float) -> Figure:
    figure = Figure(figsize=(8.4, height_inches), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def _bars_figure(names: list[str], inches_per_bar: float = _INCHES_PER_BAR) -> tuple[Figure, Any]:
    """Return a figure with room for a horizontal bar per name, the first on top."""
    figure = _figure(0.9 + inches_per_bar * len(names))
    axes = figure.subplots()
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    return figure, axes


def _percent_axis(axes: Any, label: str) -> None:
    axes.set_xlim(0, 112)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel(label)


def _legend(figure: Figure) -> None:
    figure.legend(loc="outside upper left", ncols=3)


def _svg(figure: Figure) -> str:
    """Return the figure as an SVG element without metadata and fixed size."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], count=1, flags=re.DOTALL)
    return re.sub(r'<svg\b[^>]*(viewBox="[^"]*")[^>]*>', r"<svg \g<1>>", svg, count=1)
