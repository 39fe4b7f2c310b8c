"""The trainings behind the table of `benchmarks.adaptation`: which there are, and what those that were run reached."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from brevitas_models.training import TrainingConfig, load_training_config
from brevitas_models.training.config import PHASES
from brevitas_models.training.results import METRICS_FILE

CONFIGS = Path(__file__).parents[2] / "build_configs" / "train"
DIRECTIONS = ("mnist_usps", "usps_mnist", "mnist_mnist_m")
NETWORKS: dict[str, dict[str, Any]] = {
    "dsODENet": {"convolution": "depthwise_separable"},
    "ODENet": {"convolution": "dense"},
    "ResNet": {"convolution": "dense", "field_weights": "per_iteration"},
}
"""Name in the table -> what changes in a config's network. The ResNet has its own weights in each iteration."""

BITS = (4, 3, 2)
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Row:
    """One row of the table: the same training with several seeds."""

    direction: str
    network: str
    bits: int

    def config(self, seed: int) -> TrainingConfig:
        """Return the training with one seed: the shipped config of the direction with this row's network."""
        shipped = load_training_config(CONFIGS / f"full_{self.direction}.json")
        bits = {"weight_bits": self.bits, "activation_bits": self.bits}
        network = shipped.network.model_copy(update={**NETWORKS[self.network], **bits})
        return shipped.model_copy(update={"network": network, "seed": seed})

    def folder(self, runs: Path, seed: int) -> Path:
        """Where the training with one seed is."""
        return runs / self.direction / f"{self.network.lower()}_{self.bits}bit" / f"seed{seed}"


ROWS = tuple(
    Row(direction, network, bits)
    for direction in DIRECTIONS
    for network in NETWORKS
    for bits in (BITS if network == "dsODENet" else BITS[:1])
)


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation, in per cent, over the seeds that were run."""

    mean: float
    deviation: float | None

    def __str__(self) -> str:
        return f"{self.mean:.2f}" if self.deviation is None else f"{self.mean:.2f} ± {self.deviation:.2f}"


@dataclass(frozen=True)
class Result:
    """What the finished trainings of one row reached on all test images of the target.

    Parameters
    ----------
    seeds
        Of the finished trainings.
    accuracy
        By phase.
    loss
        Float minus quantised, seed by seed, in percentage points.
    hours
        Mean wall time of a training.
    warnings
        Of all trainings.
    """

    seeds: tuple[int, ...]
    accuracy: dict[str, Spread]
    loss: Spread
    hours: float
    warnings: tuple[str, ...]


def read_result(row: Row, runs: Path) -> Result | None:
    """Return the result of a row, from its trainings' files; None when none of them has been run to its end.

    Raises
    ------
    ValueError
        A file belongs to a training with another config than the one that ships.
    """
    found: dict[int, dict[str, Any]] = {}
    for seed in SEEDS:
        path = row.folder(runs, seed) / METRICS_FILE
        if path.is_file():
            found[seed] = json.loads(path.read_text())
            if found[seed]["training"] != row.config(seed).model_dump():
                raise ValueError(f"{path}: of a training with another config than this row's; train it again")
    if not found:
        return None
    reached = {phase: [100 * metrics["accuracy"][phase]["target"] for metrics in found.values()] for phase in PHASES}
    return Result(
        seeds=tuple(found),
        accuracy={phase: _spread(values) for phase, values in reached.items()},
        loss=_spread([before - after for before, after in zip(reached["float"], reached["quantised"], strict=True)]),
        hours=fmean(metrics["seconds"] for metrics in found.values()) / 3600,
        warnings=tuple(warning for metrics in found.values() for warning in metrics["warnings"]),
    )


def _spread(values: list[float]) -> Spread:
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None)
