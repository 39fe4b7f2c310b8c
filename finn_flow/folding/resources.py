"""What a folding costs: amounts of the board's resources, and one figure to compare them by."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

Amounts = dict[str, float]
"""Amounts by the board's resource names; a resource that is missing is not used."""

EstimateNode = Callable[[NodeProto, str, NDArray[np.float32] | None], Amounts]
"""Estimate of a node at its folding, for an FPGA part and with the node's constants."""


_DSP_WEIGHT = 1 / 3
"""FIFOs, routing and the shell take LUTs as well, but no DSPs: a share of these is a lesser loss."""


def cost(resources: Mapping[str, float], available: Mapping[str, float]) -> float:
    """Weigh resources: the sum of their shares of the board, in units of one LUT, the DSPs' at a third.

    A LUT that is RAM counts twice, among the LUTs and among the fewer that can be RAM.
    """
    shares = {name: amount / available[name] for name, amount in resources.items()}
    return available["LUT"] * sum(share * (_DSP_WEIGHT if name == "DSP" else 1) for name, share in shares.items())
