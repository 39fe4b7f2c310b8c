"""The files of a build that the report reads, and what must be in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypeVar, cast

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from finn_flow.errors import UserError
from finn_flow.json_files import read_json_object_if_there

_MOST = 10**15
Count = Annotated[int, Field(strict=True, ge=0, le=_MOST)]
Positive = Annotated[float, Field(strict=True, gt=0, le=_MOST, allow_inf_nan=False)]
Amount = Annotated[float, Field(strict=True, ge=0, le=_MOST, allow_inf_nan=False)]
Percent = Annotated[float, Field(strict=True, ge=-_MOST, le=_MOST, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Text = Annotated[str, Field(strict=True, max_length=1000)]

Resource = Literal["LUT", "FF", "DSP", "BRAM36", "URAM"]


class NodeEstimate(TypedDict):
    """One node of `estimates.json`."""

    name: Text
    op: Text
    loop: Text
    iterations: Count
    cycles_per_pass: Count
    cycles_per_frame: Count
    folding: dict[Text, Count | Text]
    resources: NodeAmounts


class NodeAmounts(TypedDict):
    """What a node takes."""

    LUT: Amount
    DSP: Amount
    BRAM36: Amount
    URAM: Amount


class LoopEstimate(TypedDict):
    """One loop of `estimates.json`; its `iterations` are passes, each of which is `bodies` iterations of the solver."""

    name: Text
    iterations: Count
    bodies: Count
    body_nodes: Count
    body_ii_cycles: Count
    limited_by: Text
    cycles_per_frame: Count
    frames_in_flight: Count
    feedback_fifo_bits: Count


class Throughput(TypedDict):
    """The network as a whole, in `estimates.json`."""

    cycles_per_frame: Annotated[int, Field(strict=True, ge=1, le=_MOST)]
    limited_by: Text
    clock_mhz: Positive
    frames_per_second: Positive


class Estimated(TypedDict):
    """One resource of `estimates.json`."""

    estimated: Amount
    available: Count
    percent: Percent


class Estimates(TypedDict):
    """`estimates.json`."""

    nodes: list[NodeEstimate]
    loops: list[LoopEstimate]
    network: Throughput
    resources: dict[Resource, Estimated]


class FIFO(TypedDict):
    """One FIFO of `fifo_sizing.json`."""

    name: Text
    tensor: Text
    width_bits: Count
    words_per_frame: Count
    max_occupancy: Count
    depth: Count


class FIFOSizing(TypedDict):
    """`fifo_sizing.json`."""

    cycles_per_frame: Positive
    reference_cycles_per_frame: Positive
    fifos: list[FIFO]


class Mismatch(TypedDict):
    """The first difference of a simulation."""

    frame: Count
    message: Annotated[str, Field(strict=True)]


class SimulationResult(TypedDict):
    """`simulation.json`."""

    frames: Count
    mismatches: Count
    accuracy: Share | None
    cycles_per_frame: Positive | None
    first_frame_latency_cycles: Count
    golden: Text
    stall: Share
    first_mismatch: Mismatch | None


class NodeFound(TypedDict):
    """What open synthesis found for a node."""

    lut_total: Amount
    ff: Amount
    dsp48e2: Amount
    bram36: Amount
    uram288: Amount


class NodeSynthesis(TypedDict):
    """One node of `synthesis.json`."""

    name: Text
    resources: NodeFound


class BoardShare(TypedDict):
    """One resource of `synthesis.json`."""

    used: Amount
    available: Count
    percent: Percent


class Pair(TypedDict):
    """A figure from both sources."""

    estimate: Amount
    synthesis: Amount


class EstimateError(TypedDict):
    """One node type of `synthesis.json`."""

    op: Text
    nodes: Count
    LUT: Pair
    DSP: Pair
    BRAM36: Pair
    URAM: Pair
    lut_error_percent: Percent
    worst_lut_error_percent: Percent


class Synthesis(TypedDict):
    """`synthesis.json`."""

    nodes: list[NodeSynthesis]
    shares: dict[Resource, BoardShare]
    estimate_errors: list[EstimateError]


class SlowPath(TypedDict):
    """A path of a slow signal between two registers."""

    delay_ns: float
    start: str
    end: str


class SlowPathOfNodes(TypedDict):
    """A path of the accelerator."""

    path: SlowPath


class Timing(TypedDict):
    """`timing.json`."""

    what: str
    target_ns: float
    worst_ns: float
    paths: list[SlowPathOfNodes]
    fan_outs: dict[str, int]


class PhaseAccuracy(TypedDict):
    """Accuracy of one phase of a training, on both domains."""

    source: Share
    target: Share


class Epoch(TypedDict):
    """One epoch of a training."""

    phase: Text
    target_accuracy: Share


class TestImages(TypedDict):
    """How many images the accuracies are of."""

    source: Count
    target: Count


class Training(TypedDict):
    """`metrics.json` of a training."""

    source: Text
    target: Text
    accuracy: dict[Text, PhaseAccuracy]
    adaptation: list[Text]
    history: list[Epoch]
    test_images: NotRequired[TestImages]
    confusion: NotRequired[dict[Text, list[list[Count]]]]


class NetworkNotes(TypedDict):
    """What a network is, in `golden.json`."""

    convolution: Text
    channels: list[Count]
    weight_bits: Count


class GoldenNotes(TypedDict):
    """`golden.json`."""

    dataset: Text
    accuracy: NotRequired[Share | None]
    training: NotRequired[Training]
    network: NotRequired[NetworkNotes]


class NodeSpans(TypedDict):
    """A node of a timeline: its passes as (frame, iteration, first cycle, last cycle)."""

    name: Text
    op: Text
    loop: Text
    spans: list[tuple[Count, Count, Count, Count]]


class FIFOWords(TypedDict):
    """A FIFO of a timeline: words held, the most of each part of the run."""

    name: Text
    loop: Text
    depth: Count
    occupancy: list[Count]


class TimelineData(TypedDict):
    """A run of the accelerator over time."""

    frames: Annotated[int, Field(strict=True, ge=1, le=_MOST)]
    cycles: Annotated[int, Field(strict=True, ge=1, le=_MOST)]
    nodes: list[NodeSpans]
    fifos: list[FIFOWords]


class Timelines(TypedDict):
    """`timeline.json`: one frame alone, and several back to back."""

    lone: TimelineData
    several: TimelineData


class Configuration(TypedDict):
    """`build_config.json`: what differs from FINN's defaults."""

    board: NotRequired[Literal["ZCU104"]]
    target_fps: NotRequired[Positive | None]


Seconds = dict[Text, Amount]
"""`time_per_step.json`: seconds by step."""

T = TypeVar("T")


def read(path: Path, kind: type[T]) -> T | None:
    """Return what a file of the build says, None where there is no such file.

    Only what the report needs is looked at.

    Raises
    ------
    UserError
        The file is damaged, or something in it is missing or impossible; the message names both.
    """
    value: Any = read_json_object_if_there(path)
    if value is None:
        return None
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part)[:60] for part in first["loc"]) or "it"
        raise UserError(f"{path} is damaged: {where}: {first['msg']}; make it again") from None
    return cast(T, value)
