import pytest
import torch

from brevitas_models.training.augmentation import LARGEST, Augmentation


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


def test_the_negative():
    images = torch.rand(40, 3, 4, 4) * LARGEST
    assert torch.equal(Augmentation(invert=1.0).apply(images, torch.Generator()), LARGEST - images)
    some = Augmentation(invert=0.5).apply(images, torch.Generator().manual_seed(0))
    changed = [bool((some[i] != images[i]).any()) for i in range(40)]
    assert 10 < sum(changed) < 30
    assert all(torch.equal(some[i], LARGEST - images[i]) for i in range(40) if changed[i])


def test_gain_and_offset_are_of_a_channel():
    images = 0.25 + 0.25 * torch.rand(8, 3, 5, 5)
    result = Augmentation(gain=[0.5, 1.5], offset=0.1).apply(images, torch.Generator().manual_seed(1))
    for image, changed in zip(images.flatten(1, 1).flatten(2), result.flatten(2), strict=True):
        for channel, values in zip(image, changed, strict=True):
            factor = (values[1:] - values[0]) / (channel[1:] - channel[0])
            torch.testing.assert_close(factor, factor[:1].expand(24), rtol=1e-3, atol=1e-3)
            assert 0.499 < float(factor[0]) < 1.501
            assert abs(float(values[0] - factor[0] * channel[0])) < 0.101
    assert len({round(float(value), 6) for value in (result / images).flatten(1).mean(dim=1)}) == 8


def test_shade_is_smooth_and_noise_is_not():
    images = torch.full((6, 1, 32, 32), 0.5)
    shaded = Augmentation(shade=0.3).apply(images, torch.Generator().manual_seed(2))
    steps = (shaded[..., 1:] - shaded[..., :-1]).abs()
    assert 0.01 < float(steps.max()) <= 0.6 / (31 / 3) + 1e-6
    assert 0.1 < float((shaded - images).abs().max()) <= 0.3
    noisy = Augmentation(noise=0.05).apply(images, torch.Generator().manual_seed(2))
    assert float((noisy - images).std()) == pytest.approx(0.05, rel=0.05)


def test_values_stay_in_range():
    images = torch.rand(16, 3, 8, 8) * LARGEST
    wild = Augmentation(invert=0.5, gain=[0.0, 4.0], offset=1.0, shade=1.0, noise=1.0, rotation_degrees=30.0)
    result = wild.apply(images, torch.Generator().manual_seed(0))
    assert float(result.min()) == 0.0
    assert float(result.max()) == LARGEST
