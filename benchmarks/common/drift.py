"""Surroundings that change while pictures come by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from finn_flow.deployment.driver.adaptation import follow
from finn_flow.deployment.driver.network import Network
from finn_flow.deployment.driver.statistics import built_in

BATCH, MOMENTUM = 64, 0.3


@dataclass(frozen=True)
class Batch:
    """Accuracy on one batch, 0 to 1, with the built-in statistics and with those that follow the stream."""

    surroundings: str
    fixed: float
    following: float
    kept: bool


def follow_stream(
    network: Network, phases: Sequence[tuple[str, np.ndarray, np.ndarray]], heard: Callable[[Batch], None] | None = None
) -> list[Batch]:
    """Classify each batch of the phases (name, codes, classes) before its statistics are taken up, as `watch` does."""
    statistics, parameters = built_in(network), network.built_in()
    found = []
    for name, codes, truth in phases:
        for start in range(0, len(codes) - BATCH + 1, BATCH):
            part, classes = codes[start : start + BATCH], truth[start : start + BATCH]
            fixed = network.run(part, network.built_in())[0][:, 0]
            following = network.run(part, parameters)[0][:, 0]
            step = follow(network, part, statistics, parameters, MOMENTUM)
            kept = step.objection is None
            if kept:
                statistics, parameters = step.estimate.statistics, step.estimate.parameters
            rates = [float(np.mean(labels == classes)) for labels in (fixed, following)]
            found.append(Batch(name, rates[0], rates[1], kept))
            if heard is not None:
                heard(found[-1])
    return found
