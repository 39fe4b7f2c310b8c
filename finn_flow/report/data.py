"""What a report says: the content of `report.json`, from which the page is made."""

from __future__ import annotations

from typing import TypedDict

from finn_flow.report.files import (
    Configuration,
    Estimates,
    FIFOSizing,
    GoldenNotes,
    Seconds,
    SimulationResult,
    Synthesis,
    Timelines,
    Timing,
    Training,
)
from finn_flow.report.seen import Seen

FORMAT = 2


class Node(TypedDict):
    """A node of the pipeline.

    name, op: the graph's. fifo_depth: words of a FIFO, else 0. body: of a loop, else None.
    """

    name: str
    op: str
    fifo_depth: int
    body: Graph | None


class Graph(TypedDict):
    """Nodes, and streams between them as (producer, consumer); "" is the end of the graph.

    input, output: shape and type of what goes in and comes out, for people.
    """

    nodes: list[Node]
    edges: list[tuple[str, str]]
    input: str
    output: str


class Memory(TypedDict):
    """One memory: its node, the loop whose body that is in ("": none), what it holds, bits, and what it is made of."""

    node: str
    loop: str
    holds: str
    bits: int
    style: str


class PortRow(TypedDict):
    """One port of the top module; role: "clock", "reset", "input stream", "output stream" or "unexpected"."""

    name: str
    direction: str
    bits: int
    role: str


class Ports(TypedDict):
    """The ports of the top module, as its source declares them.

    only_streams: nothing but clock, reset and all of the input and output streams. unused_inputs, unused_outputs: ports
    of nodes that are tied to 0 or left open inside. memory_files, memory_bytes: contents that come with the netlist.
    """

    top: str
    ports: list[PortRow]
    only_streams: bool
    unused_inputs: int
    unused_outputs: int
    memory_files: int
    memory_bytes: int


class Deadlock(TypedDict):
    """What the certificate of the FIFO depths says of the netlist.

    joins: nodes with several inputs. stuck: streams that may wait for ever; none if nothing can get stuck.
    """

    joins: int
    fifos: int
    stuck: list[str]


class Multipliers(TypedDict):
    """Work of one node's multipliers, or of all.

    macs: multiply-accumulates per frame. multipliers: products per cycle. utilisation: 0 to 1.
    """

    name: str
    macs: int
    multipliers: int
    utilisation: float


class ResourceRow(TypedDict):
    """A resource of the board: quick estimate and open synthesis, None where there is no figure."""

    resource: str
    available: int
    estimated: float | None
    synthesised: float | None


class Headline(TypedDict):
    """The figures that matter most.

    cycles_source: "simulated", "simulated while sizing FIFOs" or "estimated". latency_cycles: of the first frame, first
    word in to last word out. target_cycles: what the configured frame rate allows. multiplier_utilisation: 0 to 1.
    accuracy: 0 to 1, of what accuracy_of says.
    """

    cycles_per_frame: float
    cycles_source: str
    frames_per_second: float
    clock_mhz: float
    latency_cycles: int | None
    target_cycles: int | None
    target_fps: float | None
    limited_by: str
    multiplier_utilisation: float | None
    accuracy: float | None
    accuracy_of: str


class Missing(TypedDict):
    """Something that the build does not hold, and the command that makes it."""

    what: str
    command: str


class ReportData(TypedDict):
    """All of it; None where the build does not hold it, and `missing` says how to get it.

    name: of the network, the folder's where that is not known. seen: pictures, from the golden results.

    estimates, fifos, synthesis, timing, training, golden and the simulations are files of the build or of the training.
    """

    format: int
    name: str
    build: str
    board: str
    headline: Headline
    pipeline: Graph | None
    estimates: Estimates
    multipliers: list[Multipliers] | None
    resources: list[ResourceRow]
    synthesis: Synthesis | None
    timing: Timing | None
    fifos: FIFOSizing | None
    deadlock: Deadlock | None
    simulation: SimulationResult | None
    simulation_stalled: SimulationResult | None
    training: Training | None
    golden: GoldenNotes | None
    timeline: Timelines | None
    seen: Seen | None
    memory: list[Memory] | None
    ports: Ports | None
    configuration: Configuration | None
    seconds_per_step: Seconds | None
    versions: dict[str, str]
    missing: list[Missing]
