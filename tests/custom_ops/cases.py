"""Cases of ops that several tests use."""

from __future__ import annotations

from typing import Any

import numpy as np
from qonnx.core.datatype import DataType

from custom_ops.depthwise_conv.reference import accumulator_bounds
from tests.custom_ops.base_test import Case


def conv_case(
    channels: int, pe: int, size: tuple[int, int], kernel: int, stride: int, inputs: str, weights: str, **more: Any
) -> Case:
    """Return a case with random weights and the narrowest accumulator."""
    kind = DataType[weights]
    rng = np.random.default_rng(channels * kernel)
    values = rng.integers(int(kind.min()), int(kind.max()), (channels, kernel, kernel), endpoint=True)
    low, high = accumulator_bounds(values, DataType[inputs])
    attributes = {
        "NumChannels": channels,
        "PE": pe,
        "IFMDim": list(size),
        "Kernel": kernel,
        "Stride": stride,
        "inputDataType": inputs,
        "weightDataType": weights,
        "outputDataType": DataType.get_smallest_possible(min(low, -high - 1)).name,
        **more,
    }
    return Case(attributes, {1: values})


def threshold_case(
    channels: int,
    pe: int,
    steps: int,
    iterations: int,
    inputs: str,
    outputs: str,
    bias: int = 0,
    shared: bool = False,
    size: tuple[int, int] = (3, 4),
    trigger: int = 0,
) -> Case:
    """Return a case with random thresholds, some of them beyond the inputs' range."""
    kind = DataType[inputs]
    rng = np.random.default_rng(channels + steps)
    margin = 3
    low, high = int(kind.min()) - margin, int(kind.max()) + margin
    thresholds = np.sort(rng.integers(low, high, (iterations, 1 if shared else channels, steps), endpoint=True))
    attributes = {
        "NumChannels": channels,
        "PE": pe,
        "numInputVectors": [1, *size],
        "numSteps": steps,
        "ActVal": bias,
        "inputDataType": inputs,
        "weightDataType": "INT14",
        "outputDataType": outputs,
        "iterations": iterations,
        "channel_wise": int(not shared),
        "depth_trigger_bram": trigger,
    }
    return Case(attributes, {1: thresholds})
