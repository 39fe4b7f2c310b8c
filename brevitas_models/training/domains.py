"""The two domains' images as tensors, and the batches of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from brevitas_models.config import NetworkConfig
from brevitas_models.data import ImageSet, load_images
from brevitas_models.data.catalogue import IMAGE_TREE
from brevitas_models.training.config import Dataset, TrainingConfig
from finn_flow.deployment.driver.preprocessing import INPUT_SCALE, Preprocessing
from finn_flow.errors import UserError


@dataclass(frozen=True)
class Split:
    """Images uint8 [N, C, H, W] and labels int64 [N] on the training device."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> Split:
        """Return the first images, at most `count`."""
        return Split(self.images[:count], self.labels[:count])

    def values(self, indices: Tensor | slice) -> Tensor:
        """Image values, code times 2^-8, of some images."""
        return image_values(self.images[indices])


@dataclass(frozen=True)
class Domains:
    """Training and test images of both domains; the target's training labels are not here.

    Labels of both domains are numbers of `class_names`, the source's classes.
    """

    source: Split
    target_images: Tensor
    source_test: Split
    target_test: Split
    class_names: tuple[str, ...]


def image_values(images: Tensor) -> Tensor:
    """Return the values that the network reads: uint8 codes times 2^-8."""
    return images.float() * INPUT_SCALE


def network_preprocessing(network: NetworkConfig) -> Preprocessing:
    """Return the preprocessing that makes a network's input; a `UserError` says when no image fits."""
    try:
        return Preprocessing((network.image_size[0], network.image_size[1]), network.in_channels)
    except ValueError as error:
        raise UserError(f"network: {error}") from None


def load_domains(config: TrainingConfig, device: torch.device) -> Domains:
    """Load and preprocess all images of a training; classes of source and target belong together by name.

    The target may lack some of the source's classes.

    Raises
    ------
    UserError
        Data not there or damaged, too few images, a class of the target that the source does not have, or another
        number of classes than the network's.
    """
    preprocessing = network_preprocessing(config.network)
    source, source_test = _load(config.source, preprocessing, config.seed)
    target, target_test = _load(config.target, preprocessing, config.seed)
    names = source.class_names
    if len(names) != config.network.num_classes:
        raise UserError(
            f"`network.num_classes` must be {len(names)} for {config.source.name} ({', '.join(names)}), "
            f"not {config.network.num_classes}"
        )
    target, target_test = in_classes(target, names, config.target), in_classes(target_test, names, config.target)
    for dataset, images in ((config.source, source), (config.target, target)):
        if len(images) < config.batch_size:
            raise UserError(
                f"`batch_size` must be at most the {len(images)} training images of {dataset.name}, "
                f"not {config.batch_size}"
            )
    return Domains(
        _split(source, device),
        _split(target, device).images,
        _split(source_test, device),
        _split(target_test, device),
        names,
    )


def load_test_images(
    dataset: Dataset, preprocessing: Preprocessing, class_names: tuple[str, ...], limit: int | None = None
) -> ImageSet:
    """Return the test images of one domain, at most the first `limit`, with labels that number `class_names`.

    Raises
    ------
    UserError
        Data not there or damaged, or a class that is not among `class_names`.
    """
    images = _read(dataset, "test", preprocessing)
    images = images if limit is None else images.subset(slice(0, limit))
    return in_classes(images.preprocessed(preprocessing), class_names, dataset)


def in_classes(images: ImageSet, class_names: tuple[str, ...], dataset: Dataset) -> ImageSet:
    """Return the images of `dataset`, labels numbering `class_names`; a `UserError` names classes not among them."""
    try:
        return images.numbered_as(class_names)
    except ValueError as error:
        raise UserError(f"{dataset.path or dataset.name} {error}; domains need the same classes by name") from None


def epoch_order(count: int, steps: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Give indices [batch_size] for each step: whole shuffles of `count` images one after the other."""
    shuffles = -(-steps * batch_size // count)
    order = torch.cat([torch.randperm(count, generator=generator) for _ in range(shuffles)])
    yield from order[: steps * batch_size].split(batch_size)


def _load(dataset: Dataset, preprocessing: Preprocessing, seed: int) -> tuple[ImageSet, ImageSet]:
    train, test = (_read(dataset, split, preprocessing) for split in ("train", "test"))
    if dataset.images is not None and dataset.images < len(train):
        chosen = np.random.default_rng(seed).permutation(len(train))[: dataset.images]
        train = train.subset(np.sort(chosen))
    return train.preprocessed(preprocessing), test.preprocessed(preprocessing)


def _read(dataset: Dataset, split: str, preprocessing: Preprocessing) -> ImageSet:
    """One split; only the pictures of a tree, whose sizes differ, are preprocessed while they are read."""
    path = None if dataset.path is None else Path(dataset.path)
    return load_images(dataset.name, split, preprocessing if dataset.name == IMAGE_TREE else None, path)


def _split(images: ImageSet, device: torch.device) -> Split:
    pixels = torch.from_numpy(images.images).permute(0, 3, 1, 2).contiguous()
    return Split(pixels.to(device), torch.from_numpy(images.labels).to(device))
