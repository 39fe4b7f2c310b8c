import math

import pytest
import torch

from brevitas_models.adaptation import LOSSES, Batch
from brevitas_models.adaptation.coral import Coral, covariance
from brevitas_models.adaptation.information import InformationMaximisation
from brevitas_models.adaptation.pseudo_labels import PseudoLabels, cluster_labels
from brevitas_models.config import NetworkConfig
from brevitas_models.networks import float_network


def batch(source, target, target_logits=None, indices=None):
    return Batch(
        source_features=source,
        source_logits=torch.zeros(len(source), 3),
        source_labels=torch.zeros(len(source), dtype=torch.int64),
        target_features=target,
        target_logits=torch.zeros(len(target), 3) if target_logits is None else target_logits,
        target_indices=torch.arange(len(target)) if indices is None else indices,
    )


def test_names_are_the_default_names():
    assert [loss().name for loss in LOSSES] == ["coral", "information_maximisation", "pseudo_labels"]


def test_covariance_is_numpys():
    features = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(covariance(features), features.T.cov())


def test_coral_by_hand():
    # Covariances 2·[[1, 1], [1, 1]] and 0: the squared norm is 16, over 4·2².
    source = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    assert float(Coral().loss(batch(source, torch.zeros(2, 2)), None)) == pytest.approx(1.0)
    assert float(Coral().loss(batch(source, source + 5), None)) == pytest.approx(0.0)


def test_information_maximisation_by_hand():
    certain = 100.0 * torch.eye(3)
    features = torch.zeros(3, 2)
    assert float(InformationMaximisation().loss(batch(features, features, certain), None)) == pytest.approx(
        -math.log(3), abs=1e-5
    )
    unsure = torch.zeros(3, 3)
    assert float(InformationMaximisation().loss(batch(features, features, unsure), None)) == pytest.approx(0, abs=1e-5)
    collapsed = certain[[0, 0, 0]]
    assert float(InformationMaximisation().loss(batch(features, features, collapsed), None)) == pytest.approx(
        0, abs=1e-5
    )


def test_clusters_correct_the_classifier():
    # Four images near each axis; the classifier errs on one of them, its neighbours know better.
    features = torch.eye(3).repeat_interleave(4, dim=0) + 0.05
    logits = 4.0 * torch.eye(3).repeat_interleave(4, dim=0)
    logits[0] = torch.tensor([0.0, 0.5, 0.0])
    labels, margins = cluster_labels(features, logits)
    assert labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert bool((margins > 0.5).all())


def test_a_class_without_images_is_harmless():
    labels, margins = cluster_labels(torch.eye(3)[[0, 0, 1, 1]], 9.0 * torch.eye(3)[[0, 0, 1, 1]])
    assert labels.tolist() == [0, 0, 1, 1]
    assert bool(margins.isfinite().all())


def test_pseudo_labels_use_only_the_kept_images():
    network = float_network(
        NetworkConfig(in_channels=1, image_size=[8, 8], channels=[4], iterations=[2], num_classes=3)
    ).eval()
    images = torch.randint(0, 256, (40, 1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    with torch.no_grad():
        prepared = PseudoLabels(keep=0.25).prepare(network, images)
    assert int((prepared >= 0).sum()) == 10

    features, logits = torch.zeros(2, 4), torch.tensor([[50.0, 0.0, 0.0], [0.0, 50.0, 0.0]])
    labels = torch.tensor([-1, 1, 0])
    chosen = batch(features, features, logits, indices=torch.tensor([0, 1]))
    assert float(PseudoLabels().loss(chosen, labels)) == pytest.approx(0.0, abs=1e-6)
    chosen = batch(features, features, logits, indices=torch.tensor([0, 2]))
    assert float(PseudoLabels().loss(chosen, labels)) == pytest.approx(50.0)
    chosen = batch(features, features, logits, indices=torch.tensor([0, 0]))
    assert float(PseudoLabels().loss(chosen, labels)) == 0.0
