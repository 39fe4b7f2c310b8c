import pytest
import torch

from brevitas_models.training.augmentation import Augmentation


def dot(row, column, height=9, width=9):
    image = torch.zeros(1, 1, height, width)
    image[0, 0, row, column] = 1.0
    return image


def test_the_default_does_nothing():
    image = torch.rand(3, 1, 8, 8)
    assert Augmentation().apply(image, torch.Generator()) is image


def test_the_seed_decides():
    images = torch.rand(4, 1, 8, 10)
    augmentation = Augmentation(rotation_degrees=20.0, shift=0.1, shear=0.2, scale=[0.8, 1.2])
    first, again, other = (augmentation.apply(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert first.shape == images.shape
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1


def test_magnification_keeps_the_middle_and_moves_the_rest_outwards():
    augmentation = Augmentation(scale=[2.0, 2.0])
    enlarged = augmentation.apply(dot(4, 4), torch.Generator())
    assert int(enlarged.argmax()) == 4 * 9 + 4
    assert int(augmentation.apply(dot(4, 5), torch.Generator()).argmax()) == 4 * 9 + 6


@pytest.mark.parametrize(("height", "width"), [(9, 9), (9, 17)])
def test_rotation_keeps_distances_on_any_shape(height, width):
    middle = torch.tensor([(height - 1) / 2, (width - 1) / 2])
    image = dot(1, width // 2, height, width)
    generator = torch.Generator().manual_seed(3)
    turned = Augmentation(rotation_degrees=60.0).apply(image.repeat(20, 1, 1, 1), generator)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    positions = torch.stack([rows, columns]).flatten(1).float()
    centres = (turned.flatten(1) @ positions.T) / turned.flatten(1).sum(dim=1, keepdim=True)
    distances = (centres - middle).norm(dim=1)
    assert float((distances - 3.0).abs().max()) < 0.35
    assert float(centres[:, 1].std()) > 0.5
