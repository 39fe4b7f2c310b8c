import math

import pytest
import torch

from brevitas_models.adaptation import LOSSES, Batch
from brevitas_models.adaptation.consistency import Consistency
from brevitas_models.adaptation.coral import Coral, covariance
from brevitas_models.adaptation.distillation import Distillation
from brevitas_models.adaptation.information import InformationMaximisation
from brevitas_models.adaptation.pseudo_labels import PseudoLabels, cluster_labels
from brevitas_models.adaptation.self_ensembling import SelfEnsembling
from brevitas_models.config import NetworkConfig
from brevitas_models.float_checkpoint import save_float_network
from brevitas_models.networks import float_network
from finn_flow.errors import FlowError, UserError


def batch(source, target, target_logits=None, indices=None, teacher_logits=None):
    return Batch(
        source_features=source,
        source_logits=torch.zeros(len(source), 3),
        source_labels=torch.zeros(len(source), dtype=torch.int64),
        target_features=target,
        target_logits=torch.zeros(len(target), 3) if target_logits is None else target_logits,
        target_indices=torch.arange(len(target)) if indices is None else indices,
        teacher_logits=teacher_logits,
    )


def test_names_are_the_default_names():
    names = ["consistency", "coral", "distillation", "information_maximisation", "pseudo_labels", "self_ensembling"]
    assert [loss.model_fields["name"].default for loss in LOSSES] == names


def test_which_losses_need_a_teacher():
    assert [loss for loss in LOSSES if loss.uses_teacher] == [Consistency, SelfEnsembling]
    without = batch(torch.zeros(2, 4), torch.zeros(2, 4))
    for loss in (Consistency(), SelfEnsembling()):
        with pytest.raises(ValueError, match="must have `teacher_logits`"):
            loss.loss(without, None)


def taught(student, teacher):
    """A batch of target images with given probabilities of student and teacher."""
    return batch(
        torch.zeros(len(student), 4),
        torch.zeros(len(student), 4),
        target_logits=torch.tensor(student).log(),
        teacher_logits=torch.tensor(teacher).log(),
    )


def test_consistency_by_hand():
    # The teacher is sure of the first image only, and calls it class 2, to which the student gives 1/4.
    chosen = taught([[0.25, 0.5, 0.25], [0.1, 0.8, 0.1]], [[0.02, 0.01, 0.97], [0.05, 0.9, 0.05]])
    assert float(Consistency().loss(chosen, None)) == pytest.approx(math.log(4) / 2, abs=1e-5)
    assert float(Consistency(threshold=0.98).loss(chosen, None)) == 0.0
    both = float(Consistency(threshold=0.0).loss(chosen, None))
    assert both == pytest.approx((math.log(4) - math.log(0.8)) / 2, abs=1e-5)


def test_self_ensembling_by_hand():
    # (0.25 - 0)² + (0.5 - 0)² + (0.25 - 1)² on the first of two images; of the second the teacher is not sure.
    chosen = taught([[0.25, 0.5, 0.25], [0.1, 0.8, 0.1]], [[1e-9, 1e-9, 1.0], [0.05, 0.9, 0.05]])
    assert float(SelfEnsembling().loss(chosen, None)) == pytest.approx(0.875 / 2, abs=1e-5)
    same = taught([[0.01, 0.99, 1e-9]], [[0.01, 0.99, 1e-9]])
    assert float(SelfEnsembling().loss(same, None)) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("loss", [Consistency(), SelfEnsembling()], ids=lambda loss: loss.name)
def test_a_step_against_the_gradient_moves_the_student_to_the_teacher(loss):
    chosen = taught([[0.25, 0.5, 0.25]], [[0.01, 0.01, 0.98]])
    chosen.target_logits.requires_grad_()
    loss.loss(chosen, None).backward()
    gradient = chosen.target_logits.grad[0]
    assert float(gradient[2]) < 0 < float(gradient[1])


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


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_dead_network_has_no_clusters(value):
    message = "the network is dead: its features are the same for all 6 target images; a lower learning rate"
    with pytest.raises(FlowError, match=message):
        cluster_labels(torch.full((6, 4), value), torch.zeros(6, 3))


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


SMALL = NetworkConfig(in_channels=1, image_size=[8, 8], channels=[4], iterations=[2], num_classes=3)


def test_distillation_by_hand():
    # At T = 2 the logits are ln 3 and 0 against 0 and 0: probabilities 3/4, 1/4 against 1/2, 1/2.
    teacher = torch.tensor([[9.0, 9.0], [2 * math.log(3), 0.0]])
    chosen = batch(torch.zeros(1, 4), torch.zeros(1, 4), torch.zeros(1, 2), indices=torch.tensor([1]))
    divergence = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    loss = Distillation(teacher="unused", temperature=2.0)
    assert float(loss.loss(chosen, teacher)) == pytest.approx(4 * divergence, abs=1e-6)


def test_the_distilling_network_is_the_one_in_the_folder(tmp_path):
    torch.manual_seed(0)
    larger = float_network(SMALL.model_copy(update={"channels": [8], "convolution": "dense"})).eval()
    save_float_network(tmp_path, larger.config, larger.state_dict())
    images = torch.randint(0, 256, (5, 1, 8, 8)).to(torch.uint8)
    with torch.no_grad():
        prepared = Distillation(teacher=str(tmp_path)).prepare(float_network(SMALL), images)
        assert torch.equal(prepared, larger(images / 256))


def test_a_teacher_of_other_images_is_refused(tmp_path):
    other = float_network(SMALL.model_copy(update={"image_size": [9, 9]}))
    save_float_network(tmp_path, other.config, other.state_dict())
    with pytest.raises(UserError, match=r"teacher's `image_size` must be \[8, 8\] as the network's, not \[9, 9\]"):
        Distillation(teacher=str(tmp_path)).prepare(float_network(SMALL), torch.zeros(2, 1, 8, 8))
    with pytest.raises(UserError, match="there is no such file"):
        Distillation(teacher=str(tmp_path / "none")).prepare(float_network(SMALL), torch.zeros(2, 1, 8, 8))
