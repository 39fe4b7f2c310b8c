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
CLEAR = 0.6
"""Share of the information on the network's own pictures that there must be in the end: noise stays below."""


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
    expected
        Information that the network gives for pictures that it knows.
    """

    images: int
    share: float
    estimate: Estimate
    before: Scores
    after: Scores
    expected: float

    @property
    def objection(self) -> str | None:
        """What speaks against keeping it, in one line; None if nothing does."""
        if self.after.information < CLEAR * self.expected:
            return (
                f"the network makes nothing of these pictures (information {self.after.information:.3f}, "
                f"of pictures that it knows {self.expected:.3f})"
            )
        if self.after.is_worse_than(self.before):
            return f"the classes would be less clear than before: {self.after}; before: {self.before}"
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return {
            "images": self.images,
            "share": self.share,
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
    return Adaptation(len(codes), mixed, found, before, after, network.information)


def follow(network: Network, codes: Codes, statistics: Statistics, parameters: Parameters, share: float) -> Adaptation:
    """Estimate as `adapt`, for one batch of a stream.

    Where a step of `share` does not lead to clear classes, because the surroundings have changed all at once, a step as
    long as `adapt` takes by default is tried, and taken if it does.
    """
    step = adapt(network, codes, statistics, parameters, share)
    if step.objection is None or share >= share_of(len(codes)):
        return step
    leap = adapt(network, codes, statistics, parameters)
    return leap if leap.objection is None else step


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
