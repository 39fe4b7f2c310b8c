"""How full every FIFO is over time, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from finn_flow.report.files import FIFOWords, TimelineData
from finn_flow.report.names import full_short_name
from finn_flow.report.time_axis import BOTTOM, INK, LABELS, LINE, TOP, WIDTH, axis, opening, scale_of

ROW = 30.0
FILL = "#2f6db5"


def fifo_plot(timeline: TimelineData) -> str:
    """Return an area per FIFO: the words that it holds, as a share of its depth."""
    fifos = timeline["fifos"]
    bottom = TOP + ROW * len(fifos)
    parts = [opening(bottom + BOTTOM), *axis(timeline["cycles"], bottom)]
    parts.append(f'<text x="{LABELS:g}" y="15" fill="{INK}">words held; a row is as high as the FIFO is deep</text>')
    for number, fifo in enumerate(fifos):
        parts += _row(fifo, TOP + ROW * number, timeline["cycles"])
    return "\n".join([*parts, "</svg>"])


def _row(fifo: FIFOWords, y: float, cycles: int) -> Iterator[str]:
    name = full_short_name(fifo["name"], "StreamingFIFO", fifo["loop"])
    most, height = max(fifo["occupancy"], default=0), ROW - 6
    base = y + ROW - 2
    yield f'<text x="{LABELS - 6:g}" y="{y + 13:g}" fill="{INK}" text-anchor="end" font-size="9">{escape(name)}</text>'
    text = f"most {most:,} of {fifo['depth']:,}"
    yield f'<text x="{LABELS - 6:g}" y="{y + 24:g}" fill="{INK}" text-anchor="end" font-size="8">{text}</text>'
    width = cycles * scale_of(cycles) / max(1, len(fifo["occupancy"]))
    points = [f"{LABELS:g},{base:g}"]
    for part, words in enumerate(fifo["occupancy"]):
        top = base - height * min(1.0, words / max(1, fifo["depth"]))
        points += [f"{LABELS + part * width:.1f},{top:.1f}", f"{LABELS + (part + 1) * width:.1f},{top:.1f}"]
    points.append(f"{WIDTH - 8:g},{base:g}")
    yield f'<line x1="{LABELS:g}" y1="{base:g}" x2="{WIDTH - 8:g}" y2="{base:g}" stroke="{LINE}"/>'
    title = escape(f"{fifo['name']}: {text} words")
    yield f'<polygon points="{" ".join(points)}" fill="{FILL}" fill-opacity="0.75"><title>{title}</title></polygon>'
