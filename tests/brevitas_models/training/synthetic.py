"""Two tiny domains that a tiny network learns in seconds: which texture an image has; the target is dim and noisy."""

import json

import numpy as np

from brevitas_models.data import ImageSet
from brevitas_models.training import domains

CLASSES = ("flat", "rows", "columns", "checks")
_ROW, _COLUMN = np.indices((8, 8)) % 2
_TEXTURES = np.stack([np.full((8, 8), 0.5), _ROW, _COLUMN, _ROW ^ _COLUMN])[..., np.newaxis]
CONFIG = {
    "network": {
        "in_channels": 1,
        "image_size": [8, 8],
        "channels": [8],
        "iterations": [2],
        "num_classes": 4,
    },
    "source": {"name": "mnist"},
    "target": {"name": "usps"},
    "adaptation": [
        {"name": "coral"},
        {"name": "pseudo_labels", "keep": 0.9},
        {"name": "information_maximisation"},
        {"name": "consistency", "threshold": 0.5},
    ],
    "source_only_epochs": 2,
    "float_epochs": 3,
    "quantised_epochs": 3,
    "steps_per_epoch": 8,
    "batch_size": 32,
    "learning_rate": 0.03,
    "quantised_learning_rate": 0.01,
    "augmentation": {"shift": 0.02},
}


def textures(dataset: str, split: str, preprocessing: object = None, path: object = None) -> ImageSet:
    """Return what `load_images` gives in these tests."""
    random = np.random.default_rng([ord(dataset[0]), len(split)])
    labels = random.integers(0, 4, 256)
    offset, contrast, noise = (20, 200, 10) if dataset == "mnist" else (60, 100, 20)
    images = offset + contrast * _TEXTURES[labels] + random.normal(0, noise, (256, 8, 8, 1))
    return ImageSet(images.clip(0, 255).astype(np.uint8), labels, CLASSES)


def use_textures(monkeypatch) -> None:
    """Let trainings in this test load `textures`."""
    monkeypatch.setattr(domains, "load_images", textures)


def write_config(path, **changes):
    """Write `CONFIG` with some keys changed as a JSON file and return its path."""
    path.write_text(json.dumps({**CONFIG, **changes}))
    return path
