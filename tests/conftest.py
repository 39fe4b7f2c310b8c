"""What every test gets: one thread per worker, no time limit per example, and the real data sets, fetched once."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports NumPy or PyTorch

import pytest
from hypothesis import settings

from brevitas_models.data import ImageSet, fetch, load_images

settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture(scope="session")
def mnist() -> dict[str, ImageSet]:
    """MNIST's real images: "train" 60000, "test" 10000, 28x28 grey."""
    fetch("mnist")
    return {split: load_images("mnist", split) for split in ("train", "test")}


@pytest.fixture(scope="session")
def usps() -> dict[str, ImageSet]:
    """USPS's real images: "train" 4649, "test" 4649, 16x16 grey."""
    fetch("usps")
    return {split: load_images("usps", split) for split in ("train", "test")}
