"""What the pipeline diagram is made of. Lengths are in CSS pixels at full size, x to the right and y down."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

Point = tuple[float, float]


@dataclass(frozen=True)
class Content:
    """What a box says: kind (for its colour), lines of text, a longer title, how busy it is, 0 to 1; how wide it is.

    node: name of the node, which joins it with the tables; "" for what is none.
    """

    kind: str
    lines: tuple[str, ...]
    title: str = ""
    busy: float = 0.0
    narrow: bool = False
    node: str = ""


@dataclass(frozen=True)
class Box:
    """A node, an end of the graph, or merge and split of a loop, with its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    content: Content


@dataclass(frozen=True)
class Wire:
    """A stream along right-angled lines, with an arrow at its end; kind: "stream", "bypass" or "feedback"."""

    points: tuple[Point, ...]
    kind: str = "stream"


@dataclass(frozen=True)
class Tag:
    """A text on a wire, given by its middle; kind as the wire's."""

    x: float
    y: float
    text: str
    kind: str = "stream"

    @property
    def width(self) -> float:
        """Width with a margin, enough for the widest of the usual fonts."""
        return 6.4 * len(self.text) + 8


@dataclass(frozen=True)
class Frame:
    """The outline of a loop, with a caption at its top."""

    x: float
    y: float
    width: float
    height: float
    caption: str


@dataclass
class Drawing:
    """Parts of a diagram and the size that they take."""

    width: float
    height: float
    boxes: list[Box] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)

    def add(self, other: Drawing, x: float, y: float) -> None:
        """Take over the parts of another drawing, moved so that its origin comes to (x, y)."""
        self.boxes += [replace(box, x=box.x + x, y=box.y + y) for box in other.boxes]
        self.tags += [replace(tag, x=tag.x + x, y=tag.y + y) for tag in other.tags]
        self.frames += [replace(frame, x=frame.x + x, y=frame.y + y) for frame in other.frames]
        for wire in other.wires:
            self.wires.append(replace(wire, points=tuple((px + x, py + y) for px, py in wire.points)))
