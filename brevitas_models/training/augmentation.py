"""Random distortions of image batches, of their geometry and of their intensities, in plain torch."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor
from torch.nn import functional

LARGEST = 255 / 256
"""The value of the code 255."""

SHADE_CELLS = 4
"""Random values along height and width between which `shade` is interpolated."""


class Augmentation(BaseModel):
    """How far images are distorted; the default does nothing.

    Parameters
    ----------
    rotation_degrees
        Largest rotation either way.
    shift
        Largest shift either way, as a share of height and width.
    shear
        Largest horizontal shear either way, as a share of the height.
    scale
        Smallest and largest magnification, drawn for height and width independently.
    invert
        Share of the images that become their negative.
    gain
        Smallest and largest factor of the values, drawn for each channel.
    offset
        Largest amount, either way, added to all values of a channel.
    shade
        Largest amount, either way, of a smooth random field added to a channel (uneven light, other background).
    noise
        Standard deviation of what is added to each value.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    shift: Annotated[float, Field(ge=0, le=1)] = 0.0
    shear: Annotated[float, Field(ge=0, le=1)] = 0.0
    scale: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=2, max_length=2)] = [1.0, 1.0]

    invert: Annotated[float, Field(ge=0, le=1)] = 0.0
    gain: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=2, max_length=2)] = [1.0, 1.0]
    offset: Annotated[float, Field(ge=0, le=1)] = 0.0
    shade: Annotated[float, Field(ge=0, le=1)] = 0.0
    noise: Annotated[float, Field(ge=0, le=1)] = 0.0

    @model_validator(mode="after")
    def _check_scale(self) -> Augmentation:
        for name in ("scale", "gain"):
            smallest, largest = getattr(self, name)
            if smallest > largest:
                raise ValueError(f"`{name}` must be [smallest, largest], not {[smallest, largest]}")
        return self

    def apply(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Distort float images [N, C, H, W] with values 0 to 255/256, which they keep; randomness on the CPU."""
        if self._moves:
            images = self._move(images, generator)
        return self._recolour(images, generator) if self._recolours else images

    @property
    def _moves(self) -> bool:
        return bool(self.rotation_degrees or self.shift or self.shear) or self.scale != [1.0, 1.0]

    @property
    def _recolours(self) -> bool:
        return bool(self.invert or self.offset or self.shade or self.noise) or self.gain != [1.0, 1.0]

    def _move(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Bilinear, zeros outside."""
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

    def _recolour(self, images: Tensor, generator: torch.Generator) -> Tensor:
        count, channels, height, width = images.shape

        def uniform(low: float, high: float, *shape: int) -> Tensor:
            return low + (high - low) * torch.rand(count, *shape, generator=generator)

        inverted = (uniform(0, 1, 1, 1, 1) < self.invert).to(images.device)
        images = torch.where(inverted, LARGEST - images, images)
        images = images * uniform(self.gain[0], self.gain[1], channels, 1, 1).to(images)
        images = images + uniform(-self.offset, self.offset, channels, 1, 1).to(images)
        if self.shade:
            field = uniform(-self.shade, self.shade, channels, SHADE_CELLS, SHADE_CELLS).to(images)
            images = images + functional.interpolate(field, (height, width), mode="bilinear", align_corners=True)
        if self.noise:
            images = images + self.noise * torch.randn(images.shape, generator=generator).to(images)
        return images.clamp(0.0, LARGEST)
