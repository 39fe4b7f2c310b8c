"""The validated description of a training: the JSON keys that users write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from brevitas_models.adaptation import AnyAdaptationLoss
from brevitas_models.config import NetworkConfig, parse_config, preset
from brevitas_models.data import DATASETS
from brevitas_models.training.augmentation import Augmentation
from finn_flow.errors import UserError
from finn_flow.json_files import read_json

Epochs = Annotated[int, Field(ge=1)]
Limit = Annotated[int, Field(ge=2)] | None
LearningRate = Annotated[float, Field(gt=0)]

PHASES = ("source_only", "float", "quantised")
"""Training runs in these phases, each starting from the weights of the one before."""


class Dataset(BaseModel):
    """One domain's images.

    Parameters
    ----------
    name
        One of `brevitas_models.data.DATASETS`.
    path
        Folder of the user's own files, for data sets that are not fetched.
    images
        Use that many of the training images, a random choice by the seed; null for all of them.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str
    path: str | None = None
    images: Limit = None

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in DATASETS:
            raise ValueError(f"must be one of {', '.join(DATASETS)}")
        return name


class TrainingConfig(BaseModel):
    """A whole training from source to target domain.

    Parameters
    ----------
    network
        The network's keys, or the name of a preset.
    source, target
        The two domains; labels of the target are used for evaluation only.
    adaptation
        Losses that use the target's images, each with its name, weight and options.
    source_only_epochs
        Float training without the target; its accuracy on the target is the baseline.
    float_epochs
        Float training with adaptation.
    quantised_epochs
        Quantisation-aware training with adaptation.
    batch_size
        Images of each domain per step.
    steps_per_epoch
        Null for as many as the source's training images need.
    learning_rate, quantised_learning_rate
        The highest in a phase; it rises over the first tenth of the phase and then falls with a half cosine.
    weight_decay
        Of AdamW, on convolution and classifier weights only.
    augmentation
        Random distortions of the training images of both domains.
    teacher_momentum
        Share of the teacher that stays in each step; the rest comes from the network's weights. Only for losses with a
        teacher.
    evaluation_images
        Target test images for the accuracy after each epoch; each phase ends with all of them.
    seed
        Of weights, order and augmentation.
    device
        `auto` takes a GPU (with mixed precision in float phases) when there is one.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    network: NetworkConfig
    source: Dataset
    target: Dataset
    adaptation: list[AnyAdaptationLoss] = []
    source_only_epochs: Epochs = 5
    float_epochs: Epochs = 10
    quantised_epochs: Epochs = 10
    batch_size: Annotated[int, Field(ge=2)] = 128
    steps_per_epoch: Annotated[int, Field(ge=1)] | None = None
    learning_rate: LearningRate = 0.01
    quantised_learning_rate: LearningRate = 0.003
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    augmentation: Augmentation = Augmentation()
    teacher_momentum: Annotated[float, Field(ge=0, le=1)] = 0.99
    evaluation_images: Annotated[int, Field(ge=1)] = 1000
    seed: Annotated[int, Field(ge=0)] = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @field_validator("network", mode="before")
    @classmethod
    def _preset(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return preset(value)
        except UserError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _check_adaptation(self) -> TrainingConfig:
        names = [loss.name for loss in self.adaptation]
        if len(set(names)) != len(names):
            raise ValueError(f"`adaptation` must name each loss once, not {', '.join(names)}")
        return self

    def epochs(self, phase: str) -> int:
        """Return number of epochs of one of `PHASES`."""
        return {
            "source_only": self.source_only_epochs,
            "float": self.float_epochs,
            "quantised": self.quantised_epochs,
        }[phase]


def load_training_config(path: Path) -> TrainingConfig:
    """Read a training config; a `UserError` names the file and every wrong key."""
    if not Path(path).is_file():
        raise UserError(f"{path}: there is no such training config")
    config: TrainingConfig = parse_config(TrainingConfig, read_json(Path(path)), str(path))
    return config
