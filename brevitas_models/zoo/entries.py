"""The networks of the zoo: `NAME/checkpoint.pt`, its `metrics.json` and, to train it again, its `config.json`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from brevitas_models.checkpoint import CHECKPOINT_FILE, read_checkpoint
from brevitas_models.config import NetworkConfig, parse_config, read_json
from brevitas_models.parameters import count_parameters
from finn_flow.errors import UserError

PREFIX = "zoo:"
ROOT = Path(__file__).parent
METRICS_FILE, CONFIG_FILE = "metrics.json", "config.json"
LARGEST_BYTES = 300_000
"""Largest checkpoint that ships."""


@dataclass(frozen=True)
class ZooEntry:
    """What is known of a network of the zoo.

    Parameters
    ----------
    name
        What stands after `zoo:`.
    source, target
        The data sets between which it was adapted.
    network
        The keys of its `NetworkConfig`.
    parameters
        Number of its learned parameters.
    accuracy
        Share of the target's test images, 0 to 1, that the quantised network puts into the right class.
    accuracy_float, accuracy_source_only
        The same of the float network, with adaptation and without.
    size_bytes
        Of the checkpoint.
    """

    name: str
    source: str
    target: str
    network: dict[str, Any]
    parameters: int
    accuracy: float
    accuracy_float: float
    accuracy_source_only: float
    size_bytes: int

    @property
    def kind(self) -> str:
        """What such a network is called: ODENet, dsODENet or, without shared weights, ResNet."""
        separable = self.network["convolution"] == "depthwise_separable"
        return ("ds" if separable else "") + ("ODENet" if self.network["field_weights"] == "shared" else "ResNet")

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)


def is_zoo_name(source: object) -> bool:
    """Whether `source`, a path or text, is of the form `zoo:NAME`."""
    return str(source).startswith(PREFIX)


def zoo_names() -> list[str]:
    """Names of the networks of the zoo, sorted."""
    return sorted(path.parent.name for path in ROOT.glob(f"*/{CHECKPOINT_FILE}"))


def zoo_folder(source: str | Path) -> Path:
    """Return the folder of the network `zoo:NAME` or `NAME`; it is read like the folder of a training.

    Raises
    ------
    UserError
        There is none of that name; it lists the names.
    """
    name = str(source).removeprefix(PREFIX)
    if name not in zoo_names():
        raise UserError(f"no network of the zoo is called {name!r}; use one of {', '.join(zoo_names())}")
    return ROOT / name


def load_entry(name: str) -> ZooEntry:
    """Return what is known of the network `name`.

    Raises
    ------
    UserError
        There is none of that name, or its files are damaged.
    """
    folder = zoo_folder(name)
    content = read_checkpoint(folder)
    metrics = read_json(folder / METRICS_FILE)
    network: NetworkConfig = parse_config(NetworkConfig, content["network"], str(folder))
    accuracy = {phase: reached["target"] for phase, reached in metrics["accuracy"].items()}
    return ZooEntry(
        name=folder.name,
        source=metrics["source"],
        target=metrics["target"],
        network=network.model_dump(),
        parameters=count_parameters(network).total,
        accuracy=accuracy["quantised"],
        accuracy_float=accuracy["float"],
        accuracy_source_only=accuracy["source_only"],
        size_bytes=(folder / CHECKPOINT_FILE).stat().st_size,
    )
