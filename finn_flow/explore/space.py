"""The space that is explored: a network, a training and a build, any value of which may be one of several."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from brevitas_models.config import parse_config
from finn_flow.json_files import read_json_object

ANY_OF = "any_of"
DIRECTIONS = {
    "accuracy": "maximize",
    "frames_per_second": "maximize",
    "latency_cycles": "minimize",
    "LUT": "minimize",
    "DSP": "minimize",
    "BRAM36": "minimize",
    "URAM": "minimize",
}
"""Figures of a candidate that can be objectives, and which way is better (as Optuna spells it)."""

Figure = Literal["accuracy", "frames_per_second", "latency_cycles", "LUT", "DSP", "BRAM36", "URAM"]


@dataclass(frozen=True)
class Choice:
    """A value that is one of several: where it is ("network.channels"), and the values."""

    name: str
    values: tuple[Any, ...]

    @property
    def keys(self) -> list[str]:
        """The values as texts, which is what an optimiser's storage can hold."""
        return [json.dumps(value) for value in self.values]


class Space(BaseModel):
    """A design space. Wherever a value stands in `network`, `training` or `build`, {"any_of": [...]} may stand for it.

    Parameters
    ----------
    network
        Keys of a network, over those of the training's network; or, without a training, a whole network.
    training
        Keys of a training over those of the training configuration `config`, a file or a name; None: networks with
        random weights, without an accuracy.
    build
        Keys of a build over those of `config`, by default `zcu104_estimates`.
    objectives
        The figures to be optimised, each in its better direction.
    trials
        Candidates to evaluate; no more than there are.
    seed
        Of the optimiser.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    network: dict[str, Any] = {}
    training: dict[str, Any] | None = None
    build: dict[str, Any] = {}
    objectives: Annotated[list[Figure], Field(min_length=1)] = ["frames_per_second", "LUT", "DSP"]
    trials: Annotated[int, Field(ge=1, le=100_000)] = 50
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _check(self) -> Space:
        if self.training is None and "accuracy" in self.objectives:
            raise ValueError("`objectives` may name accuracy only with a `training`")
        if len(set(self.objectives)) != len(self.objectives):
            raise ValueError("`objectives` must name each figure once")
        if not self.choices():
            raise ValueError('there is nothing to choose: write {"any_of": [...]} for a value')
        for choice in self.choices():
            if len(set(choice.keys)) != len(choice.keys) or not choice.values:
                raise ValueError(f"`{choice.name}`: any_of must hold one value or more, each once")
        return self

    def choices(self) -> list[Choice]:
        """Return everything that is to be chosen, in the order of the file."""
        parts = {"network": self.network, "training": self.training or {}, "build": self.build}
        return list(_choices("", parts))

    @property
    def size(self) -> int:
        """Number of candidates."""
        return math.prod(len(choice.values) for choice in self.choices())

    def candidate(self, keys: Mapping[str, str]) -> dict[str, Any]:
        """Return `network`, `training` and `build` with what was chosen, by the choices' names, in place."""
        values = {name: json.loads(key) for name, key in keys.items()}
        parts = {"network": self.network, "training": self.training, "build": self.build}
        return {name: _chosen(name, copy.deepcopy(part), values) for name, part in parts.items()}


def load_space(path: Path) -> Space:
    """Read a space; a `UserError` names the file and every wrong key."""
    space: Space = parse_config(Space, read_json_object(path), str(path))
    return space


def _choices(name: str, value: Any) -> Iterator[Choice]:
    if isinstance(value, dict):
        if set(value) == {ANY_OF} and isinstance(value[ANY_OF], list):
            yield Choice(name, tuple(value[ANY_OF]))
            return
        for key, inner in value.items():
            yield from _choices(f"{name}.{key}" if name else key, inner)


def _chosen(name: str, value: Any, values: Mapping[str, Any]) -> Any:
    if name in values:
        return values[name]
    if isinstance(value, dict):
        return {key: _chosen(f"{name}.{key}", inner, values) for key, inner in value.items()}
    return value
