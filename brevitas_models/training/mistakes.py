"""Which classes of the target a trained network confuses, and the images it gets wrong, as one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brevitas_models.networks import ODENet
from brevitas_models.training.domains import Split
from finn_flow.files import atomic_path

MISTAKES_FILE = "mistakes.png"
ROWS, COLUMNS = 6, 10
"""Images shown, at most."""

BATCH = 256


@torch.no_grad()
def predictions(network: ODENet, images: Split) -> Tensor:
    """Return the class, int64 [N], that the network, in eval mode, gives each image."""
    network.eval()
    starts = range(0, len(images), BATCH)
    return torch.cat([network(images.values(slice(start, start + BATCH))).argmax(dim=1) for start in starts])


def confusion_matrix(labels: Tensor, predicted: Tensor, classes: int) -> NDArray[np.int64]:
    """Return counts [true class, predicted class] of images."""
    pairs = torch.bincount(labels * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes).cpu().numpy()


def draw_mistakes(path: Path, network: ODENet, images: Split, class_names: tuple[str, ...]) -> None:
    """Draw the confusion matrix, and beside it the first images that are wrong with "true → predicted" above each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    predicted = predictions(network, images)
    classes = network.config.num_classes
    names = [*class_names, *(str(number) for number in range(len(class_names), classes))]
    counts = confusion_matrix(images.labels, predicted, classes)
    wrong = torch.nonzero(predicted != images.labels).flatten().tolist()
    figure = Figure(figsize=(17, 8), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subfigures(1, 2)
    left.suptitle(f"{len(wrong):,} of {len(images):,} wrong: {1 - len(wrong) / len(images):.2%} right")
    axes = left.subplots()
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    for (true, guess), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[true, guess] > 0.4 else "black"
            axes.text(guess, true, f"{count}", ha="center", va="center", color=colour)
    axes.set_xticks(range(classes), names, rotation=0 if max(map(len, names)) < 4 else 90)
    axes.set_yticks(range(classes), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    right.suptitle(f"the first {min(len(wrong), ROWS * COLUMNS)} mistakes, true → predicted")
    grid = right.subplots(ROWS, COLUMNS)
    for cell in grid.flat:
        cell.axis("off")
    for cell, index in zip(grid.flat, wrong, strict=False):
        pixels = images.images[index].permute(1, 2, 0).cpu().numpy()
        cell.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=255)
        cell.set_title(f"{names[int(images.labels[index])]} → {names[int(predicted[index])]}", fontsize=10)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=100)
