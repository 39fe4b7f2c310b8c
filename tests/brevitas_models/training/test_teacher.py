"""The teacher is the moving average of the student's parameters, in float."""

import pytest
import torch

from brevitas_models.calibration import calibrate_quantisers
from brevitas_models.config import NetworkConfig
from brevitas_models.networks import float_network, quantized_network
from brevitas_models.training.teacher import Teacher

CONFIG = NetworkConfig(in_channels=1, image_size=[8, 8], channels=[4], iterations=[2], num_classes=3)
IMAGES = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def student():
    torch.manual_seed(0)
    return float_network(CONFIG).train()


def shift(network, amount):
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += amount


def test_it_starts_as_the_student(student):
    assert torch.equal(Teacher(student, 0.9).logits(IMAGES), student(IMAGES).detach())


def test_the_moving_average_by_hand(student):
    teacher = Teacher(student, 0.75)
    before = {name: value.clone() for name, value in student.named_parameters()}
    shift(student, 4.0)
    for expected in (1.0, 0.75 * 1.0 + 0.25 * 4.0):
        teacher.follow(student)
        for name, average in teacher.network.named_parameters():
            torch.testing.assert_close(average, before[name] + expected)


@pytest.mark.parametrize(("momentum", "follows"), [(1.0, False), (0.0, True)])
def test_the_ends_of_the_range(student, momentum, follows):
    teacher = Teacher(student, momentum)
    first = teacher.logits(IMAGES)
    shift(student, 0.5)
    teacher.follow(student)
    assert torch.equal(teacher.logits(IMAGES), student(IMAGES).detach() if follows else first)


def test_no_gradient_reaches_it(student):
    teacher = Teacher(student, 0.9)
    assert not teacher.logits(IMAGES).requires_grad
    assert not any(parameter.requires_grad for parameter in teacher.network.parameters())


def test_of_a_quantised_student_it_is_the_float_twin():
    torch.manual_seed(0)
    student = quantized_network(CONFIG)
    calibrate_quantisers(student, [IMAGES])
    student.train()
    teacher = Teacher(student, 0.5)
    twin = float_network(CONFIG)
    twin.load_state_dict(teacher.network.state_dict())
    assert torch.equal(teacher.logits(IMAGES), twin.train()(IMAGES).detach())
    shift(student, 0.25)
    teacher.follow(student)
    assert torch.equal(
        teacher.network.stem.convolution.weight,
        student.stem.convolution.weight.detach() - 0.125,
    )
