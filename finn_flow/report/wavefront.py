"""The wavefront: which iteration of which frame every node works on, over time, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from finn_flow.report.files import NodeSpans, TimelineData
from finn_flow.report.names import short_name
from finn_flow.report.time_axis import BOTTOM, INK, LABELS, LINE, SOFT, TOP, WIDTH, axis, opening, scale_of

ROW, GAP = 13.0, 7.0
ITERATIONS = ("#2f6db5", "#2b7d4f", "#b26a00", "#8e44ad", "#b3261e", "#00838f", "#6d7f00", "#5d4037")
"""Colours of iterations, again from the start after the last."""
MINOR = "StreamingDataWidthConverter_rtl"
"""Nodes of this kind have no row."""
SECONDS, HOLD_SECONDS = 9, 3
"""Of an animation: until the end, and there."""


@dataclass(frozen=True)
class Row:
    """A row of the picture: a node with its name, at a height."""

    node: NodeSpans
    name: str
    y: float


def wavefront(timeline: TimelineData, animated: bool = False, on_paper: bool = False) -> str:
    """Return the picture of a timeline.

    Parameters
    ----------
    animated
        Time passes: what happens appears from left to right, again and again.
    on_paper
        White behind it: for a file of its own.
    """
    rows, bands, bottom = _layout(timeline)
    height = bottom + BOTTOM
    scale = scale_of(timeline["cycles"])
    parts = [
        opening(height, on_paper),
        *axis(timeline["cycles"], bottom),
        *(_band(*band) for band in bands),
        *(_label(row) for row in rows),
    ]
    bars = [bar for row in rows for bar in (f'<g data-node="{escape(row.node["name"])}">', *_bars(row, scale), "</g>")]
    if animated:
        parts += _animation(bars, height, bottom)
    else:
        parts += bars
    return "\n".join([*parts, *_legend(timeline), "</svg>"])


def _layout(timeline: TimelineData) -> tuple[list[Row], list[tuple[str, float, float]], float]:
    """Return the rows, the loops as (name, top, bottom), and the end of the rows."""
    rows: list[Row] = []
    bands: list[tuple[str, float, float]] = []
    y, loop = TOP, ""
    inside = {node["loop"] for node in timeline["nodes"]}
    for node in timeline["nodes"]:
        if node["op"] == MINOR or node["name"] in inside:
            continue
        if node["loop"] != loop:
            y += GAP
            loop = node["loop"]
        if loop and (not bands or bands[-1][0] != loop):
            bands.append((loop, y, y))
        rows.append(Row(node, short_name(node["name"], node["op"]), y))
        y += ROW
        if loop:
            bands[-1] = (loop, bands[-1][1], y)
    return rows, bands, y


def _band(loop: str, top: float, bottom: float) -> str:
    name = escape(f"ODE loop {loop.rpartition('_')[2]}")
    return (
        f'<rect x="2" y="{top - 2:g}" width="{WIDTH - 4:g}" height="{bottom - top + 3:g}" fill="none" '
        f'stroke="{LINE}" rx="4"/><text x="8" y="{top + 8:g}" fill="{SOFT}">{name}</text>'
    )


def _label(row: Row) -> str:
    place = f'x="{LABELS - 6:g}" y="{row.y + 9:g}" text-anchor="end" font-size="9"'
    return f'<text {place} fill="{INK}">{escape(row.name)}</text>'


def _bars(row: Row, scale: float) -> Iterator[str]:
    looped = bool(row.node["loop"])
    for frame, iteration, first, last in row.node["spans"]:
        x, width = LABELS + first * scale, max(0.8, (last + 1 - first) * scale)
        colour = ITERATIONS[iteration % len(ITERATIONS)] if looped else SOFT
        what = f"frame {frame}" + (f", pass {iteration}" if looped else "")
        title = escape(f"{row.name}: {what}, cycles {first:,} to {last:,}")
        yield (
            f'<rect x="{x:.2f}" y="{row.y + 1:g}" width="{width:.2f}" height="{ROW - 2:g}" fill="{colour}" '
            f'fill-opacity="{0.95 if frame % 2 == 0 else 0.55}"><title>{title}</title></rect>'
        )


def _animation(bars: list[str], height: float, bottom: float) -> list[str]:
    width = WIDTH - LABELS
    share = SECONDS / (SECONDS + HOLD_SECONDS)
    timing = f'keyTimes="0;{share:.3f};1" dur="{SECONDS + HOLD_SECONDS}s" repeatCount="indefinite"'
    return [
        f'<clipPath id="past"><rect x="{LABELS:g}" y="0" width="{width:g}" height="{height:g}">'
        f'<animate attributeName="width" values="0;{width:g};{width:g}" {timing}/></rect></clipPath>',
        '<g clip-path="url(#past)">',
        *bars,
        "</g>",
        f'<line y1="{TOP - 4:g}" y2="{bottom:g}" stroke="{INK}" stroke-width="1" x1="{WIDTH:g}" x2="{WIDTH:g}">',
        *(f'<animate attributeName="{end}" values="{LABELS:g};{WIDTH:g};{WIDTH:g}" {timing}/>' for end in ("x1", "x2")),
        "</line>",
    ]


def _legend(timeline: TimelineData) -> Iterator[str]:
    looped = [span[1] for node in timeline["nodes"] if node["loop"] for span in node["spans"]]
    count = min(max(looped, default=-1) + 1, len(ITERATIONS))
    x = LABELS
    for iteration in range(count):
        yield f'<rect x="{x:g}" y="6" width="12" height="10" fill="{ITERATIONS[iteration]}"/>'
        yield f'<text x="{x + 16:g}" y="15" fill="{INK}">pass {iteration}</text>'
        x += 84
    yield f'<rect x="{x:g}" y="6" width="12" height="10" fill="{SOFT}"/>'
    yield f'<text x="{x + 16:g}" y="15" fill="{INK}">outside of loops</text>'
    if timeline["frames"] > 1:
        yield f'<text x="{x + 120:g}" y="15" fill="{INK}">every other frame is paler</text>'
