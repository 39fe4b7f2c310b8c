"""The pipeline diagram: nothing overlaps, every node and stream is there, whatever the graph."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finn_flow.report.data import Graph, Node
from finn_flow.report.diagram_layout import LoopText, lay_out
from finn_flow.report.diagram_parts import Content

LOOP = LoopText("a loop", "feedback")


def chain(length: int, prefix: str = "", bypass: tuple[int, int] | None = None, fifos: tuple[int, ...] = ()) -> Graph:
    """Return a chain of nodes; those in `fifos` (no neighbours) are FIFOs; with a bypass through a FIFO of its own."""
    names = [f"{prefix}{number}" for number in range(length)]
    nodes = [
        Node(name=name, op="Any", fifo_depth=12_345 if number in fifos else 0, body=None)
        for number, name in enumerate(names)
    ]
    edges = list(pairwise(["", *names, ""]))
    if bypass:
        beside = f"{prefix}beside"
        nodes.append(Node(name=beside, op="Any", fifo_depth=65, body=None))
        edges += [(names[bypass[0]], beside), (beside, names[bypass[1]])]
    return Graph(nodes=nodes, edges=edges, input="8x8x3 UINT8", output="1 UINT4")


def with_loops(graph: Graph, bodies: dict[int, Graph]) -> Graph:
    for position, body in bodies.items():
        graph["nodes"][position]["body"] = body
    return graph


def names(graph: Graph) -> list[str]:
    """All nodes that are drawn as boxes."""
    found = []
    for node in graph["nodes"]:
        if node["body"]:
            found += names(node["body"])
        elif not node["fifo_depth"]:
            found.append(node["name"])
    return found


def check(graph: Graph) -> None:
    contents = {
        name: Content("move", (name, "PE 1", "1,234 cycles"), narrow=len(name) % 2 == 0) for name in names(graph)
    }
    loops = {node["name"]: LOOP for node in graph["nodes"] if node["body"]}
    drawing = lay_out(graph, contents, loops)
    drawn = [box.content.lines[0] for box in drawing.boxes]
    assert sorted(drawn) == sorted([*names(graph), "input", "output", *["merge", "split"] * len(loops)])
    areas = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in drawing.boxes]
    tags = [(tag.x - tag.width / 2, tag.y - 8, tag.x + tag.width / 2, tag.y + 8) for tag in drawing.tags]
    for first, second in combinations(areas + tags, 2):
        assert not overlap(first, second)
    for left, top, right, bottom in areas + tags:
        assert 0 <= left < right <= drawing.width
        assert 0 <= top < bottom <= drawing.height
    for wire in drawing.wires:
        for (x, y), (until, below) in pairwise(wire.points):
            assert x == until or y == below
            line = min(x, until), min(y, below), max(x, until), max(y, below)
            assert not any(overlap(line, area) for area in areas)
            assert 0 <= line[0] <= line[2] <= drawing.width
            assert 0 <= line[1] <= line[3] <= drawing.height


def overlap(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    """Whether two areas (left, top, right, bottom) share more than their edges."""
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


@pytest.mark.parametrize("length", [1, 2, 6, 7, 8, 40])
def test_chains(length):
    check(chain(length))


@pytest.mark.parametrize("bypass", [(0, 2), (0, 12), (3, 11), (5, 7)])
def test_bypasses_within_a_row_and_across_rows(bypass):
    check(chain(14, bypass=bypass, fifos=(1, 6)))


def test_fifos_are_tags_on_their_wires():
    graph = chain(5, bypass=(0, 3), fifos=(1,))
    drawing = lay_out(graph, {name: Content("move", (name,)) for name in names(graph)}, {})
    assert [(tag.text, tag.kind) for tag in drawing.tags] == [("12,345", "stream"), ("65", "bypass")]


def test_feedback_goes_from_split_to_merge():
    graph = with_loops(chain(3), {1: chain(9, "body", (0, 8))})
    drawing = lay_out(graph, {name: Content("move", (name,)) for name in names(graph)}, {"1": LOOP})
    (feedback,) = (wire for wire in drawing.wires if wire.kind == "feedback")
    boxes = {box.content.lines[0]: box for box in drawing.boxes}
    merge, split = boxes["merge"], boxes["split"]
    assert feedback.points[0] == (split.x + split.width / 2, split.y + split.height)
    assert feedback.points[-1][0] == merge.x
    assert merge.y < feedback.points[-1][1] < merge.y + merge.height
    (frame,) = drawing.frames
    inside = [
        box
        for box in drawing.boxes
        if overlap(
            (frame.x, frame.y, frame.x + frame.width, frame.y + frame.height),
            (box.x, box.y, box.x + box.width, box.y + box.height),
        )
    ]
    assert len(inside) == 11


@given(
    st.integers(3, 30),
    st.dictionaries(st.integers(0, 29), st.integers(2, 20), max_size=3),
    st.booleans(),
    st.sets(st.sampled_from(range(1, 29, 2))),
)
def test_nothing_overlaps(length, loops, bypass, fifos):
    bodies = {
        position: chain(size, f"b{position}_", (0, size - 1) if bypass and size > 2 else None)
        for position, size in loops.items()
        if position < length
    }
    check(with_loops(chain(length, fifos=tuple(fifos - bodies.keys())), bodies))
