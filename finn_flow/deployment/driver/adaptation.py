"""Adapting to pictures without labels: new batch-norm statistics, judged before anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .network import Network, Parameters
from .scores import Scores
from .statistics import Estimate, Statistics, estimate, share_of

Codes = npt.NDArray[np.uint8]

FEWEST_IMAGES = 8
MOST_IMAGES = 1024
"""More pictures than this change the statistics no more; so many are chosen evenly from them."""
MOST_DISTANCE = 2.0
"""Surroundings further away than this are taken for something that the network was never meant for."""


@dataclass(frozen=True, eq=False)
class Adaptation:
    """New statistics, and what speaks for them.

    Parameters
    ----------
    images
        Pictures that they were estimated from.
    share
        Of the new statistics in the mix.
    before, after
        Scores with the parameters that were in use, and with the new ones.
    distance
        How far away the new surroundings are, see `distance`.
    """

    images: int
    share: float
    estimate: Estimate
    before: Scores
    after: Scores
    distance: float

    @property
    def objection(self) -> str | None:
        """What speaks against keeping it, in one line; None if nothing does."""
        if self.distance > MOST_DISTANCE:
            return (
                f"these pictures are unlike all that the network knows (distance {self.distance:.2f}, "
                f"at most {MOST_DISTANCE:g})"
            )
        if self.after.is_worse_than(self.before):
            return f"the classes would be less clear than before: {self.after}; before: {self.before}"
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return {
            "images": self.images,
            "share": self.share,
            "distance": self.distance,
            "limited_channels": self.estimate.limited,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
        }


def adapt(
    network: Network,
    codes: Codes,
    statistics: Statistics,
    parameters: Parameters,
    share: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Adaptation:
    """Estimate statistics of pictures and judge them; nothing is written.

    Parameters
    ----------
    codes
        Pictures as the network's input, uint8 [N, H, W, C].
    statistics, parameters
        Those in use.
    share
        Of the new statistics in the mix; by default what `share_of` says.

    Raises
    ------
    InputError
        Too few pictures, or all alike.
    """
    check_codes(codes)
    mixed = share_of(len(codes)) if share is None else share
    _, old_values = network.run(codes, parameters)
    found = estimate(network, codes, mixed, statistics, progress)
    before, after = Scores.of(old_values, network.scale), Scores.of(found.values, network.scale)
    return Adaptation(len(codes), mixed, found, before, after, distance(network, found.statistics))


def check_codes(codes: Codes) -> None:
    """Make sure that there is something to learn from.

    Raises
    ------
    InputError
        Too few pictures, or all alike.
    """
    if len(codes) < FEWEST_IMAGES:
        raise InputError(f"{len(codes)} pictures say too little about the surroundings; give at least {FEWEST_IMAGES}")
    distinct = len(np.unique(codes.reshape(len(codes), -1), axis=0))
    if distinct < FEWEST_IMAGES:
        raise InputError(
            f"only {distinct} of the {len(codes)} pictures differ; give at least {FEWEST_IMAGES} different ones"
        )


def chosen(count: int, most: int = MOST_IMAGES) -> npt.NDArray[np.int64]:
    """Return the numbers of at most `most` of `count` pictures, evenly from all."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)


def distance(network: Network, statistics: Statistics) -> float:
    """How far statistics are from the built-in ones.

    Mean over all channels of the Kullback-Leibler divergence of normal distributions with these means and variances
    from those with the built-in ones, in nats.
    """
    parts = []
    for name, node in network.writable.items():
        mean, variance = (part.astype(np.float64) for part in statistics[name])
        norm = node.normalisation
        old = norm.variance.astype(np.float64) + float(norm.epsilon)
        ratio = (variance + float(norm.epsilon)) / old
        parts.append(0.5 * ((mean - norm.mean) ** 2 / old + ratio - 1 - np.log(ratio)))
    return float(np.mean(np.concatenate([part.reshape(-1) for part in parts])))
