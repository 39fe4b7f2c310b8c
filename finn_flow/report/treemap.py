"""Treemaps: what each loop, and each node in it, takes of the whole, as areas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from finn_flow.report.names import kind, short_name
from finn_flow.report.time_axis import opening

WIDTH, HEIGHT, HEAD = 960.0, 260.0, 16.0
KINDS = {"multiply": "#2f6db5", "threshold": "#b26a00", "loop": "#2b7d4f", "move": "#77838f"}
LETTER = 5.2
"""Width of a letter of a tile's text, of the widest of the usual fonts."""
_HEADING_LETTER = 7.2
OUTSIDE = "outside of loops"


@dataclass(frozen=True)
class Share:
    """What one node takes; `loop` is the loop in whose body it is, or ""."""

    node: str
    op: str
    loop: str
    amount: float


@dataclass(frozen=True)
class Area:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def inside(self, margin: float, head: float = 0.0) -> Area:
        """Return what is left inside a margin and below a heading."""
        width, height = self.width - 2 * margin, self.height - 2 * margin - head
        return Area(self.x + margin, self.y + margin + head, max(0.0, width), max(0.0, height))


def squarified(amounts: Sequence[float], area: Area) -> list[Area]:
    """Divide an area among amounts, above 0 and descending, into areas as square as a greedy choice makes them.

    Source: Bruls, Huizing, van Wijk, "Squarified treemaps", 2000.
    """
    if not amounts:
        return []
    scale = area.width * area.height / sum(amounts)
    side = min(area.width, area.height)
    if scale <= 0 or side <= 0:
        return [Area(area.x, area.y, 0.0, 0.0)] * len(amounts)
    count = 1
    while count < len(amounts) and _worst(amounts[: count + 1], side, scale) <= _worst(amounts[:count], side, scale):
        count += 1
    row = amounts[:count]
    depth = sum(row) * scale / side
    found, along = [], 0.0
    for amount in row:
        length = amount * scale / depth
        if area.width >= area.height:
            found.append(Area(area.x, area.y + along, depth, length))
        else:
            found.append(Area(area.x + along, area.y, length, depth))
        along += length
    if area.width >= area.height:
        rest = Area(area.x + depth, area.y, area.width - depth, area.height)
    else:
        rest = Area(area.x, area.y + depth, area.width, area.height - depth)
    return found + squarified(amounts[count:], rest)


def _worst(row: Sequence[float], side: float, scale: float) -> float:
    """Return how far from square the worst area of a row is."""
    total = sum(row) * scale
    return max(max(side**2 * a * scale / total**2, total**2 / (side**2 * a * scale)) for a in row)


def treemap(shares: Sequence[Share], unit: str) -> str:
    """Return the treemap of what nodes take, by loop; nodes that take nothing are left out."""
    groups: dict[str, list[Share]] = {}
    for share in sorted(shares, key=lambda share: -share.amount):
        if share.amount > 0:
            groups.setdefault(share.loop, []).append(share)
    sums = sorted(((sum(s.amount for s in group), loop) for loop, group in groups.items()), reverse=True)
    total = sum(amount for amount, _ in sums)
    areas = squarified([amount for amount, _ in sums], Area(0, 0, WIDTH, HEIGHT))
    parts = [opening(HEIGHT)]
    for (amount, loop), area in zip(sums, areas, strict=True):
        parts += _group(groups[loop], loop, amount, total, unit, area)
    return "\n".join([*parts, "</svg>"])


def _group(shares: list[Share], loop: str, amount: float, total: float, unit: str, area: Area) -> Iterator[str]:
    name = f"ODE loop {loop.rpartition('_')[2]}" if loop else OUTSIDE
    text = f"{name}: {amount:,.0f} {unit}, {amount / total:.0%}"
    box = area.inside(1.5)
    yield f'<rect {_place(box)} fill="none" stroke="#77838f"/>'
    if _HEADING_LETTER * len(text) + 8 < box.width and box.height > HEAD:
        yield f'<text x="{box.x + 4:.1f}" y="{box.y + 12:.1f}" fill="#1c2630" font-weight="bold">{escape(text)}</text>'
    inner = box.inside(1.0, HEAD - 2)
    for share, tile in zip(shares, squarified([share.amount for share in shares], inner), strict=True):
        yield from _tile(share, tile.inside(0.8), total, unit)


def _tile(share: Share, area: Area, total: float, unit: str) -> Iterator[str]:
    name, part = short_name(share.node, share.op), f"{share.amount / total:.1%}"
    title = escape(f"{share.node}: {share.amount:,.0f} {unit}, {part}")
    colour = KINDS[kind(share.op)]
    yield f'<g data-node="{escape(share.node)}"><rect {_place(area)} fill="{colour}"><title>{title}</title></rect>'
    lines = [text for text in (name, part) if _fits(text, area)]
    if len(lines) == 2 and area.height > 26:
        for number, line in enumerate(lines):
            x, y = area.x + area.width / 2, area.y + area.height / 2 - 1 + 11 * number
            place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="8.5"'
            yield f'<text {place} fill="#fff">{escape(line)}</text>'
    yield "</g>"


def _fits(text: str, area: Area) -> bool:
    return LETTER * len(text) + 8 < area.width


def _place(area: Area) -> str:
    return f'x="{area.x:.1f}" y="{area.y:.1f}" width="{area.width:.1f}" height="{area.height:.1f}"'
