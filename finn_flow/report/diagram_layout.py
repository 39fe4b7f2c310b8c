"""Where the parts of the pipeline diagram are: rows of nodes, a frame around each loop's body, wires in the gaps.

The longest path from input to output is laid out in rows from left to right; what runs beside it (a residual bypass)
becomes a wire above the rows. FIFOs are tags on the wires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise

import networkx

from finn_flow.report.data import Graph
from finn_flow.report.diagram_parts import Box, Content, Drawing, Frame, Point, Tag, Wire

WIDTH = 1300
WIDE, NARROW = (120, 62), (72, 62)
GAP, ROW_GAP = 56, 54
LANE = 17
"""Distance of a lane, in which wires run, from the boxes."""
SIDE = 28
"""Room for lanes beside the rows."""
LEFT, RIGHT, TOP, BOTTOM = 58, 48, 62, 48
"""Room inside of a loop's frame, around its body."""

_START, _END = ("start",), ("end",)
"""The graph's ends; no node's name is a tuple."""


@dataclass(frozen=True)
class LoopText:
    """What is written at a loop's frame and at its feedback."""

    caption: str
    feedback: str


@dataclass(frozen=True)
class _Item:
    """Something in a row; enter and leave are where streams come in and go out, below its top."""

    drawing: Drawing
    enter: float
    leave: float
    alone: bool = False


@dataclass(frozen=True)
class _Place:
    """An item, its upper left corner and its row."""

    item: _Item
    x: float
    y: float
    row: int

    @property
    def start(self) -> Point:
        return self.x, self.y + self.item.enter

    @property
    def end(self) -> Point:
        return self.x + self.item.drawing.width, self.y + self.item.leave

    @property
    def top(self) -> Point:
        return self.x + self.item.drawing.width / 2, self.y


def lay_out(graph: Graph, contents: Mapping[str, Content], loops: Mapping[str, LoopText]) -> Drawing:
    """Return the drawing of a graph and of its loops; `contents` and `loops` by the nodes' names."""
    ends = tuple(Content("end", (end, *graph[end].split()), narrow=True) for end in ("input", "output"))
    inside = _graph(graph, ends, WIDTH - 2 * SIDE, contents, loops)
    drawing = Drawing(WIDTH, inside.height + 3 * LANE)
    drawing.add(inside, SIDE, 1.5 * LANE)
    return drawing


def _graph(
    graph: Graph,
    ends: tuple[Content, ...],
    width: float,
    contents: Mapping[str, Content],
    loops: Mapping[str, LoopText],
) -> Drawing:
    """Return the drawing of a graph between its ends; wires reach up to `SIDE` beyond it."""
    depths = {node["name"]: node["fifo_depth"] for node in graph["nodes"]}
    bodies = {node["name"]: node["body"] for node in graph["nodes"]}
    streams = networkx.DiGraph()
    for producer, consumer in graph["edges"]:
        streams.add_edge(producer or _START, consumer or _END, weight=0 if depths.get(consumer) else 1)
    path = networkx.dag_longest_path(streams)
    chain = [name for name in path if not depths.get(name)]
    items = [_box(ends[0])]
    for name in chain[1:-1]:
        body = bodies[name]
        items.append(_box(contents[name]) if body is None else _loop(body, width, contents, loops[name]))
    items.append(_box(ends[1]))

    places: list[_Place] = []
    bottoms: list[float] = []
    y = 0.0
    for number, row in enumerate(_balanced_rows(items, width)):
        x = 0.0
        for item in row:
            places.append(_Place(item, x, y, number))
            x += item.drawing.width + GAP
        bottoms.append(y + max(item.drawing.height for item in row))
        y = bottoms[-1] + ROW_GAP

    drawing = Drawing(width, bottoms[-1])
    for place in places:
        drawing.add(place.item.drawing, place.x, place.y)
    where = dict(zip(chain, places, strict=True))
    for name, after in pairwise(chain):
        passed = path[path.index(name) + 1 : path.index(after)]
        _connect(drawing, where[name], where[after], _depth_tag(passed, depths), bottoms[where[name].row])
    bypasses = _bypasses(streams, path, chain)
    for number, (name, after, passed) in enumerate(bypasses):
        _bypass(drawing, where[name], where[after], _depth_tag(passed, depths), width + 14 + 8 * (number % 2))
    return drawing


def _loop(body: Graph, width: float, contents: Mapping[str, Content], text: LoopText) -> _Item:
    """Return a loop as an item: its frame, the body in it, and the way back from split to merge."""
    ends = tuple(Content("loop", (end,), narrow=True) for end in ("merge", "split"))
    inside = _graph(body, ends, width - LEFT - RIGHT, contents, {})
    drawing = Drawing(width, inside.height + TOP + BOTTOM)
    drawing.frames.append(Frame(0, 0, width, drawing.height, text.caption))
    drawing.add(inside, LEFT, TOP)
    merge, split = drawing.boxes[0], drawing.boxes[-1]
    enter, leave = merge.y + merge.height / 2, split.y + split.height / 2
    back, lane, left, into = split.x + split.width / 2, drawing.height - BOTTOM / 2, 20, merge.y + merge.height - 12
    way = (back, split.y + split.height), (back, lane), (left, lane), (left, into), (merge.x, into)
    drawing.wires += [
        Wire(((0, enter), (merge.x, enter))),
        Wire(((split.x + split.width, leave), (width, leave))),
        Wire(way, "feedback"),
    ]
    drawing.tags.append(Tag((back + left) / 2, lane, text.feedback, "feedback"))
    return _Item(drawing, enter, leave, alone=True)


def _box(content: Content) -> _Item:
    size = NARROW if content.narrow else WIDE
    return _Item(Drawing(*size, boxes=[Box(0, 0, *size, content)]), size[1] / 2, size[1] / 2)


def _balanced_rows(items: list[_Item], width: float) -> list[list[_Item]]:
    """Return as few rows as possible, and between loops as even ones as possible; a loop has its row alone."""
    rows: list[list[_Item]] = []
    for alone, group in groupby(items, key=lambda item: item.alone):
        neighbours = list(group)
        if alone:
            rows += [[item] for item in neighbours]
            continue
        count = len(_rows(neighbours, width))
        widths = range(int(width), WIDE[0], -GAP)
        rows += next(found for limit in reversed(widths) if len(found := _rows(neighbours, limit)) == count)
    return rows


def _rows(items: list[_Item], width: float) -> list[list[_Item]]:
    rows: list[list[_Item]] = []
    x = 0.0
    for item in items:
        if not rows or x + item.drawing.width > width:
            rows.append([])
            x = 0.0
        rows[-1].append(item)
        x += item.drawing.width + GAP
    return rows


def _connect(drawing: Drawing, first: _Place, second: _Place, tag: str, bottom: float) -> None:
    """Draw the stream between neighbours: straight, or through the gap below their row to the next."""
    (x, y), end = first.end, second.start
    if first.row == second.row:
        points: tuple[Point, ...] = ((x, y), end)
        middle = (x + end[0]) / 2 - 3, y
    else:
        lane, beside, before = bottom + LANE, x + 14, end[0] - 14
        points = ((x, y), (beside, y), (beside, lane), (before, lane), (before, end[1]), end)
        middle = (before + beside) / 2, lane
    drawing.wires.append(Wire(points))
    if tag:
        drawing.tags.append(Tag(*middle, tag))


def _bypass(drawing: Drawing, first: _Place, last: _Place, tag: str, outside: float) -> None:
    """Draw a stream beside the chain: above its row, or beyond the rows' right end."""
    (x, y), (until, below) = first.top, last.top
    points: tuple[Point, ...] = ((x, y), (x, y - LANE), (until, y - LANE), (until, below))
    middle = (x + until) / 2
    if first.row != last.row:
        turn = (outside, y - LANE), (outside, below - LANE), (until, below - LANE)
        points = ((x, y), (x, y - LANE), *turn, (until, below))
        middle = (x + outside) / 2
    drawing.wires.append(Wire(points, "bypass"))
    if tag:
        drawing.tags.append(Tag(middle, y - LANE, tag, "bypass"))


def _bypasses(streams: networkx.DiGraph, path: list, chain: list) -> list[tuple[str, str, list[str]]]:
    """Return the ways beside the path as (from, to, nodes between)."""
    steps = set(pairwise(path))
    found = []
    for name in chain:
        for following in streams.successors(name):
            if (name, following) not in steps:
                passed = []
                while following not in chain:
                    passed.append(following)
                    following = next(streams.successors(following))
                found.append((name, following, passed))
    return found


def _depth_tag(passed: list[str], depths: Mapping[str, int]) -> str:
    """Return the depths of FIFOs, and names of whatever else is passed."""
    return " + ".join(f"{depths[name]:,}" if depths[name] else name for name in passed)
