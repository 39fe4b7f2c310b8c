"""Scores without labels, on a network whose predictions are known."""

import math

import pytest
import torch
from torch import nn

from brevitas_models.training.augmentation import LARGEST, Augmentation
from brevitas_models.training.scores import UnlabelledScores, adaptation_warnings, unlabelled_scores

GOOD = UnlabelledScores(effective_classes=9.8, stability=0.9, confidence=0.8)


class Brightness(nn.Module):
    """Dark images are class 0, bright ones class 1, with a probability of 3/4; there are no images of class 2."""

    def forward(self, images):
        bright = (images.mean(dim=(1, 2, 3)) > 0.5).float()
        return torch.stack([(1 - bright) * math.log(3), bright * math.log(3), torch.full_like(bright, -99.0)], dim=1)


def scores(values, augmentation):
    batches = [torch.tensor(values).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)]
    return unlabelled_scores(Brightness(), batches, augmentation, torch.Generator().manual_seed(0))


def test_by_hand():
    found = scores([0.1, 0.2, 0.8, 0.9], Augmentation())
    assert found.effective_classes == pytest.approx(2.0)
    assert found.stability == 1.0
    assert found.confidence == pytest.approx(0.75)


def test_one_class_only():
    assert scores([0.1, 0.2], Augmentation()).effective_classes == pytest.approx(1.0)


def test_stability_under_the_negative():
    assert scores([0.1, LARGEST - 0.1], Augmentation(invert=1.0)).stability == 0.0


def test_no_warning_when_all_is_well():
    assert adaptation_warnings(GOOD, GOOD, 0.98, 0.97) == []


@pytest.mark.parametrize(
    ("changes", "source", "message"),
    [
        ({"effective_classes": 5.0}, 0.98, "merged classes of the target: effective classes 5.0, 9.8 before it"),
        ({"stability": 0.7}, 0.98, "less stable: 70.0% keep their class when distorted, 90.0% before it"),
        ({}, 0.5, "cost accuracy on the source: 50.0%, 98.0% before it"),
    ],
)
def test_warnings_name_the_figure(changes, source, message):
    after = UnlabelledScores(**{**GOOD.to_json(), **changes})
    (warning,) = adaptation_warnings(GOOD, after, 0.98, source)
    assert message in warning
