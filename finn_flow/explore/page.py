"""The page of an exploration: the front in pictures and as a table from which one clicks through to the builds."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from finn_flow.explore.deepen import RESULT as DEEPENED
from finn_flow.explore.exploration import Exploration
from finn_flow.explore.space import DIRECTIONS
from finn_flow.files import atomic_write_text
from finn_flow.json_files import read_json_object_if_there
from finn_flow.report.page import TEMPLATES as REPORT_TEMPLATES
from finn_flow.tables import figure

TEMPLATES = Path(__file__).parent / "templates"
WIDTH, HEIGHT, LEFT, BOTTOM, RIGHT = 440.0, 320.0, 70.0, 42.0, 28.0
LABELS = {"frames_per_second": "frames/s", "latency_cycles": "latency, cycles", "accuracy": "accuracy, %"}


def write_page(exploration: Exploration) -> Path:
    """Write the page of an exploration into its folder and return its path."""
    atomic_write_text(exploration.page, render(exploration))
    return exploration.page


def render(exploration: Exploration) -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, REPORT_TEMPLATES]), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["figure"] = figure
    script = (REPORT_TEMPLATES / "page.js").read_text()
    first, *others = exploration.space.objectives
    deepened = {
        name: read_json_object_if_there(exploration.folder / "candidates" / name / DEEPENED)
        for name in exploration.front
    }
    return environment.get_template("explore.html").render(
        exploration=exploration,
        front=exploration.table("Pareto front", exploration.front),
        everything=exploration.table("All candidates", list(exploration.figures)),
        deepened={name: found for name, found in deepened.items() if found},
        failed={name: found["failed"] for name, found in exploration.results.items() if "failed" in found},
        plots=[Markup(scatter(exploration, other, first)) for other in others],
        style=Markup((REPORT_TEMPLATES / "style.css").read_text()),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def scatter(exploration: Exploration, across: str, up: str) -> str:
    """Return a picture of all candidates by two figures, those of the front marked and linked to their rows."""
    points = {name: (_value(across, f), _value(up, f)) for name, f in exploration.figures.items()}
    if not points:
        return ""
    ranges = [_range([point[axis] for point in points.values()]) for axis in (0, 1)]
    label = f"{LABELS.get(up, up)} over {LABELS.get(across, across)}"
    parts = [
        f'<svg class="scatter" role="img" aria-label="{escape(label)}" font-size="10" '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}">',
        *_axes(ranges, across, up),
    ]
    front = set(exploration.front)
    for name in sorted(points, key=lambda name: name in front):
        x, y = (_at(points[name][axis], ranges[axis], axis) for axis in (0, 1))
        kind, radius = ("front", 5) if name in front else ("other", 3)
        values = ", ".join(f"{LABELS.get(k, k)} {figure(_value(k, exploration.figures[name]))}" for k in (across, up))
        circle = f'<circle class="{kind}" data-node="{name}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">'
        circle += f"<title>{name}: {escape(values)}</title></circle>"
        parts.append(f'<a href="#{name}" aria-label="{name}">{circle}</a>' if name in front else circle)
    return "\n".join([*parts, "</svg>"])


def _value(name: str, figures: dict[str, float]) -> float:
    return 100 * figures[name] if name == "accuracy" else float(figures[name])


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.06 * (high - low) or max(1.0, 0.1 * abs(high))
    return low - margin, high + margin


def _at(value: float, bounds: tuple[float, float], axis: int) -> float:
    share = (value - bounds[0]) / (bounds[1] - bounds[0])
    return LEFT + share * (WIDTH - LEFT - RIGHT) if axis == 0 else HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - 12)


def _axes(ranges: list[tuple[float, float]], across: str, up: str) -> Iterator[str]:
    for axis in (0, 1):
        low, high = ranges[axis]
        for part in range(5):
            value = low + (high - low) * part / 4
            place = _at(value, ranges[axis], axis)
            text = escape(figure(value, 0 if high - low > 8 else 2))
            if axis == 0:
                yield f'<line class="grid" x1="{place:.1f}" y1="12" x2="{place:.1f}" y2="{HEIGHT - BOTTOM:g}"/>'
                yield f'<text x="{place:.1f}" y="{HEIGHT - BOTTOM + 14:g}" text-anchor="middle">{text}</text>'
            else:
                yield f'<line class="grid" x1="{LEFT:g}" y1="{place:.1f}" x2="{WIDTH - RIGHT:g}" y2="{place:.1f}"/>'
                yield f'<text x="{LEFT - 6:g}" y="{place + 3:.1f}" text-anchor="end">{text}</text>'
    arrows = {"maximize": "more is better", "minimize": "less is better"}
    bottom = f"{LABELS.get(across, across)} ({arrows[DIRECTIONS[across]]})"
    side = f"{LABELS.get(up, up)} ({arrows[DIRECTIONS[up]]})"
    yield f'<text x="{(WIDTH + LEFT) / 2:g}" y="{HEIGHT - 8:g}" text-anchor="middle">{escape(bottom)}</text>'
    middle = (HEIGHT - BOTTOM) / 2
    yield f'<text transform="translate(12 {middle:g}) rotate(-90)" text-anchor="middle">{escape(side)}</text>'
