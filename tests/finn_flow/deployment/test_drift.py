"""Statistics that follow a stream of pictures, with a trained network of the zoo and real digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.common.drift import BATCH, follow_stream
from brevitas_models.checkpoint import load_checkpoint
from brevitas_models.data import ImageSet
from brevitas_models.training.domains import network_preprocessing
from brevitas_models.zoo import zoo_folder
from finn_flow.deployment.driver.network import Network
from finn_flow.deployment.network_description import NetworkDescription
from finn_flow.transformations.place_parameters import PlaceParameters
from tests.finn_flow.deployment.adaptive import hardware_graph

Trained = tuple[Network, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def trained(
    usps: dict[str, ImageSet], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Network, np.ndarray, np.ndarray]:
    """Return the network, and USPS's test images as it takes them, with their classes."""
    config, brevitas = load_checkpoint(zoo_folder(Path("zoo:mnist-usps-quick")))
    images = network_preprocessing(config).apply(usps["test"].images[: 12 * BATCH])
    description = NetworkDescription.of(hardware_graph(brevitas).transform(PlaceParameters()))
    path = tmp_path_factory.mktemp("trained") / "network.npz"
    path.write_bytes(description.with_information(images[:BATCH]).to_bytes())
    return Network.load(path), images, usps["test"].labels


def test_statistics_follow_and_come_back(trained: Trained) -> None:
    network, images, truth = trained
    changes = {
        "clear": lambda x: x,
        "dark": lambda x: x // 4,
        "inverted": lambda x: 255 - x,
        "clear again": lambda x: x,
    }
    phases = []
    for number, (name, change) in enumerate(changes.items()):
        part = slice(3 * BATCH * number, 3 * BATCH * (number + 1))
        phases.append((name, change(images[part]), truth[part]))
    found = follow_stream(network, phases)
    by_name = {name: [batch for batch in found if batch.surroundings == name] for name in changes}
    assert all(batch.kept for batch in by_name["clear"])
    dark = by_name["dark"]
    assert dark[-1].following > dark[-1].fixed + 0.4
    # What the network makes nothing of changes nothing.
    assert not any(batch.kept for batch in by_name["inverted"])
    assert by_name["clear again"][-1].following > 0.9
