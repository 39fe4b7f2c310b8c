"""What nodes are called in diagrams and plots."""

from __future__ import annotations

import re

_LABELS = {
    "CascadeMVAU": "DSP cascade",
    "ChannelAffine": "factor, offset",
    "ConstantMatrix": "constant matrix",
    "ConvolutionInputGenerator": "window",
    "Deinterleave": "state of several",
    "DepthwiseConv": "depthwise conv",
    "FMPadding": "padding",
    "Fork": "fork",
    "GlobalSumPool": "sum pool",
    "IndexedRequantisation": "requantise[i]",
    "IndexedThresholding": "thresholds[i]",
    "Interleave": "states in one",
    "Lookup": "table",
    "MVAU": "matrix-vector",
    "ODELoop": "ODE loop",
    "ODEUpdate": "ODE update",
    "PositionThresholding": "thresholds[x, y]",
    "Requantisation": "requantise",
    "Select": "choice[i]",
    "StreamingDataWidthConverter": "width conv.",
    "StreamingFIFO": "FIFO",
    "Thresholding": "thresholds",
    "TopK": "top-k",
    "WindowReduce": "window reduction",
}
_KINDS = {
    "MVAU": "multiply",
    "CascadeMVAU": "multiply",
    "ConstantMatrix": "multiply",
    "Requantisation": "threshold",
    "IndexedRequantisation": "threshold",
    "DepthwiseConv": "multiply",
    "Thresholding": "threshold",
    "IndexedThresholding": "threshold",
    "PositionThresholding": "threshold",
    "ODEUpdate": "loop",
    "ODELoop": "loop",
}


def short_name(name: str, op: str) -> str:
    """Return a few words for a node: what it does, and its number among those of its kind.

    In a loop of several bodies the body's number and a point come before the node's, as in "thresholds[i] 1.2".
    """
    kind = op.removesuffix("_rtl")
    number = name.rpartition("_")[2]
    body = re.search(r"_body_(\d+)_", name)
    place = f"{body[1]}.{number}" if body else number
    return f"{_LABELS.get(kind, kind)} {place}" if number.isdigit() else _LABELS.get(kind, kind)


def full_short_name(name: str, op: str, loop: str) -> str:
    """Return `short_name` with the number of the loop that the node is in."""
    return f"loop {loop.rpartition('_')[2]}: {short_name(name, op)}" if loop else short_name(name, op)


def kind(op: str) -> str:
    """Return what a node mainly does: "multiply", "threshold", "loop" (the ODE solver), or "move"."""
    return _KINDS.get(op.removesuffix("_rtl"), "move")
