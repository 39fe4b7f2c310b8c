"""Confusion matrix and page of mistakes of a network whose predictions are known."""

import numpy as np
import torch
from PIL import Image
from torch import nn

from brevitas_models.config import NetworkConfig
from brevitas_models.training.domains import Split
from brevitas_models.training.mistakes import confusion_matrix, draw_mistakes, predictions


class FirstPixel(nn.Module):
    """Calls each image by the code of its first pixel."""

    config = NetworkConfig(in_channels=1, image_size=[8, 8], channels=[4], iterations=[2], num_classes=3)

    def forward(self, images):
        return nn.functional.one_hot((images[:, 0, 0, 0] * 256).long(), 3).float()


def split(codes, labels):
    images = torch.zeros(len(codes), 1, 8, 8, dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.tensor(codes)
    return Split(images, torch.tensor(labels))


def test_predictions_and_confusion_by_hand():
    images = split([0, 1, 2, 2, 0], [0, 1, 2, 1, 2])
    predicted = predictions(FirstPixel(), images)
    assert predicted.tolist() == [0, 1, 2, 2, 0]
    assert confusion_matrix(images.labels, predicted, 3).tolist() == [[1, 0, 0], [0, 1, 1], [1, 0, 1]]


def test_the_page_with_and_without_mistakes(tmp_path):
    pages = []
    for name, labels in (("none", [0, 1, 2]), ("two", [0, 2, 1])):
        draw_mistakes(tmp_path / f"{name}.png", FirstPixel(), split([0, 1, 2], labels), ("a", "b", "c"))
        pages.append(np.asarray(Image.open(tmp_path / f"{name}.png").convert("L")))
    assert pages[0].shape == pages[1].shape == (800, 1700)
    right = np.s_[100:, 900:]
    assert pages[0][right].min() == 255
    assert pages[1][right].min() < 50
