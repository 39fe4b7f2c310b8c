"""Random affine distortions of image batches, in plain torch."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor
from torch.nn import functional


class Augmentation(BaseModel):
    """How far images are distorted; the default does nothing.

    Parameters
    ----------
    rotation_degrees : largest rotation either way.
    shift : largest shift either way, as a share of height and width.
    shear : largest horizontal shear either way, as a share of the height.
    scale : smallest and largest magnification, drawn for height and width independently.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    shift: Annotated[float, Field(ge=0, le=1)] = 0.0
    shear: Annotated[float, Field(ge=0, le=1)] = 0.0
    scale: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=2, max_length=2)] = [1.0, 1.0]

    @model_validator(mode="after")
    def _check_scale(self) -> Augmentation:
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"`scale` must be [smallest, largest], not {self.scale}")
        return self

    def apply(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Distort float images [N, C, H, W] with values 0 to 1, bilinearly, zeros outside; randomness on the CPU."""
        if self == Augmentation():
            return images
        count = len(images)

        def uniform(low: float, high: float) -> Tensor:
            return low + (high - low) * torch.rand(count, generator=generator)

        angle = uniform(-1, 1) * math.radians(self.rotation_degrees)
        shear = uniform(-self.shear, self.shear)
        width, height = 1 / uniform(*self.scale), 1 / uniform(*self.scale)
        aspect = images.shape[2] / images.shape[3]
        cos, sin = angle.cos(), angle.sin()
        # Output to input coordinates, in halves of width and height: rotation · shear · inverse magnification.
        transform = torch.stack(
            [
                torch.stack([cos * width, (cos * shear - sin) * aspect * height, uniform(-2, 2) * self.shift], dim=1),
                torch.stack([sin / aspect * width, (sin * shear + cos) * height, uniform(-2, 2) * self.shift], dim=1),
            ],
            dim=1,
        )
        grid = functional.affine_grid(transform.to(images), list(images.shape), align_corners=False)
        return functional.grid_sample(images, grid, align_corners=False)
