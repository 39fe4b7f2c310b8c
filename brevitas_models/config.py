"""The validated description of a network: the JSON keys that users write, and the presets by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from finn_flow.errors import UserError
from finn_flow.json_files import read_json

PositiveInt = Annotated[int, Field(ge=1)]


class NetworkConfig(BaseModel):
    """Shape, solver and bit widths of an ODENet or dsODENet.

    Parameters
    ----------
    in_channels
        Channels of the input image, 1 (grey) or 3 (RGB) for the loaders of this package.
    image_size
        (height, width) of the input image in pixels.
    channels
        Channels of each ODE block's state, one entry per block; a stride-2 layer stands between two blocks.
    iterations
        Solver steps of each block, 2 to 64; the step size is 1 / iterations.
    convolution
        `dense` (ODENet) or `depthwise_separable` (dsODENet) in blocks and stride-2 layers.
    solver
        Name of a fixed-step solver in `brevitas_models.solvers`; a block evaluates its field once per stage and
        iteration.
    time
        `bias` adds a learned per-channel bias, linear in t, after every batch-norm of the vector field.
    batch_norm
        Whether the running statistics of the vector field's batch-norms are `shared` by all iterations of a block or
        kept `per_iteration`; scale and shift are always shared.
    field_weights
        `shared` by all iterations of a block, which makes it an ODE block, or of their own for each iteration
        (`per_iteration`): a residual network of the same layout, to compare with. Its accelerator has hardware for
        every iteration, by a build configuration without the rolling step.
    weight_bits, activation_bits, state_bits
        Widths of signed narrow-range weights, unsigned activations and the signed state. The first and last layers keep
        8-bit weights, as is usual in quantised networks.
    num_classes
        Number of logits.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    in_channels: PositiveInt
    image_size: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)]
    channels: Annotated[list[PositiveInt], Field(min_length=1)]
    iterations: Annotated[list[Annotated[int, Field(ge=2, le=64)]], Field(min_length=1)]
    convolution: Literal["dense", "depthwise_separable"] = "depthwise_separable"
    solver: Literal["euler", "midpoint", "heun", "low_storage_rk3", "rk4", "low_storage_rk4"] = "euler"
    time: Literal["none", "bias"] = "bias"
    batch_norm: Literal["shared", "per_iteration"] = "per_iteration"
    field_weights: Literal["shared", "per_iteration"] = "shared"
    weight_bits: Annotated[int, Field(ge=2, le=8)] = 4
    activation_bits: Annotated[int, Field(ge=2, le=8)] = 4
    state_bits: Annotated[int, Field(ge=4, le=12)] = 8
    num_classes: Annotated[int, Field(ge=2)] = 10

    @model_validator(mode="after")
    def _check_blocks(self) -> NetworkConfig:
        if len(self.channels) != len(self.iterations):
            raise ValueError(
                f"`channels` and `iterations` need one entry per ODE block each, "
                f"not {len(self.channels)} and {len(self.iterations)}"
            )
        if min(self.feature_map_sizes()[-1]) < 2:
            raise ValueError(
                f"`image_size` must leave at least 2x2 pixels for the last of {len(self.channels)} ODE blocks (the "
                f"feature map halves between blocks), not {self.image_size}"
            )
        return self

    @property
    def increment_bits(self) -> int:
        """Width of the signed, quantised increment h·f(z): two bits finer than the activations, at most the state's."""
        return min(self.activation_bits + 2, self.state_bits)

    def feature_map_sizes(self) -> list[tuple[int, int]]:
        """Height and width of each block's state; a stride-2 layer halves them, rounding up."""
        height, width = self.image_size
        sizes = [(height, width)]
        for _ in self.channels[1:]:
            height, width = -(-height // 2), -(-width // 2)
            sizes.append((height, width))
        return sizes


_SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"in_channels": 1, "image_size": [14, 14], "channels": [4, 8], "iterations": [2, 3]},
    "small": {"in_channels": 1, "image_size": [28, 28], "channels": [16, 32, 64], "iterations": [6, 6, 6]},
    "base": {"in_channels": 3, "image_size": [32, 32], "channels": [16, 32, 64], "iterations": [6, 6, 6]},
}
_CONVOLUTIONS = {"odenet": "dense", "dsodenet": "depthwise_separable"}
PRESETS = [f"{family}-{size}" for family in _CONVOLUTIONS for size in _SIZES]


def preset(name: str) -> NetworkConfig:
    """Return the preset network called `name`, e.g. `dsodenet-small`; `UserError` lists the names otherwise."""
    if name not in PRESETS:
        raise UserError(f"no network preset is called {name!r}; use one of {', '.join(PRESETS)}")
    family, size = name.split("-")
    return NetworkConfig.model_validate({"convolution": _CONVOLUTIONS[family], **_SIZES[size]})


def parse_config(model: type[BaseModel], data: Any, where: str) -> Any:
    """Validate `data` as `model`; a `UserError` names `where`, the key and what it must be for every problem."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors()]
        raise UserError(f"{where}: " + "; ".join(problems)) from None


def _problem(detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        return f"unknown key `{key}`"
    if detail["type"] == "missing":
        return f"missing key `{key}`"
    return f"`{key}`: {message}, not {detail['input']!r}" if key else message


def load_network_config(source: str | Path) -> NetworkConfig:
    """Return the network of a preset name or of a JSON file.

    The file holds either the network's keys themselves or, as a training config does, an object under `network`
    (which may again be a preset name).

    Raises
    ------
    UserError
        No such preset or file, not JSON, an unknown key, a wrong type or an impossible value.
    """
    if str(source) in PRESETS:
        return preset(str(source))
    path = Path(source)
    if not path.is_file():
        raise UserError(f"{source}: neither a JSON file nor a network preset ({', '.join(PRESETS)})")
    data = read_json(path)
    if isinstance(data, dict) and "network" in data:
        data = data["network"]
    return preset(data) if isinstance(data, str) else parse_config(NetworkConfig, data, str(path))
