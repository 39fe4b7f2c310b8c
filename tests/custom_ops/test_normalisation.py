"""Batch-norm, activation and quantiser as requantisation, for any statistics."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brevitas_models.batch_norm import FieldBatchNorm
from custom_ops.requantisation.coefficients import find_coefficients
from custom_ops.requantisation.normalisation import Arithmetic, Normalisation, affine, fit
from custom_ops.requantisation.reference import requantise

CHANNELS, USES = 5, 3


def normalisation(seed: int, codes: tuple[int, int], relu: bool, shared: bool) -> Normalisation:
    """Return one of random parameters, whose accumulators are multiples of 2^-6."""
    rng = np.random.default_rng(seed)
    statistics = 1 if shared else USES
    scale = np.float32(2.0**-6)
    lowest, highest = -rng.integers(100, 700, CHANNELS), rng.integers(100, 700, CHANNELS)
    return Normalisation(
        sign=np.ones(CHANNELS, np.int64),
        scale=np.full(CHANNELS, scale),
        weight=rng.uniform(0.3, 2, CHANNELS).astype(np.float32),
        bias=rng.normal(0, 0.5, CHANNELS).astype(np.float32),
        shift=rng.normal(0, 0.1, (USES, CHANNELS)).astype(np.float32),
        gain=np.full(USES, 0.25, np.float32),
        epsilon=np.array(1e-5, np.float32),
        reciprocal=np.array(1),
        relu=np.array(int(relu)),
        step=np.full(CHANNELS, np.float32(2.0**-4)),
        lowest=lowest,
        highest=highest,
        codes=np.array(codes),
        statistic=np.zeros(USES, np.int64) if shared else np.arange(USES),
        mean=rng.normal(0, 2, (statistics, CHANNELS)).astype(np.float32),
        variance=rng.uniform(1, 9, (statistics, CHANNELS)).astype(np.float32),
    )


def codes_in_float(
    norm: Normalisation, use: int, channel: int, x: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> np.ndarray:
    """Return the codes of accumulators as PyTorch's operations give them."""
    factor, offset = (part[use, channel] for part in norm.affine(mean, variance))
    y = torch.from_numpy(x.astype(np.float32)) * float(norm.scale[channel]) * torch.tensor(factor) + torch.tensor(
        offset
    )
    y = torch.relu(y) if norm.relu else y
    return torch.round(y / float(norm.step[channel])).clamp(*norm.codes.tolist()).numpy().astype(np.int64)


@pytest.mark.parametrize("shared", [False, True], ids=["own statistics", "shared statistics"])
@pytest.mark.parametrize(("codes", "relu"), [((0, 15), True), ((-32, 31), False), ((-128, 127), False)])
def test_every_accumulator_has_the_networks_code(codes: tuple[int, int], relu: bool, shared: bool) -> None:
    norm = normalisation(codes[1], codes, relu, shared)
    ranges = [np.broadcast_to(bound, (USES, CHANNELS)) for bound in (norm.lowest, norm.highest)]
    built_in = find_coefficients(norm.thresholds(norm.mean, norm.variance), *ranges, codes[0])
    assert built_in is not None
    bits = int(built_in.multiplier.max()).bit_length() + 3 + 2
    hardware = Arithmetic(built_in.shift + 3, built_in.ties_to_even, bits, 48)
    rng = np.random.default_rng(3)
    for _ in range(4):
        mean = norm.mean + rng.normal(0, 1, norm.mean.shape).astype(np.float32)
        variance = norm.variance * rng.uniform(0.3, 3, norm.variance.shape).astype(np.float32)
        found = fit(norm, hardware, mean, variance)
        assert found.limited == 0
        assert np.abs(found.mean - mean).max() < 0.01 and np.abs(found.variance / variance - 1).max() < 0.01
        for use in range(USES):
            for channel in range(CHANNELS):
                x = np.arange(norm.lowest[channel], norm.highest[channel] + 1)
                a, b = found.multiplier[use, channel], found.offset[use, channel]
                integers = requantise(x, a, b, hardware.shift, *codes, hardware.ties_to_even)
                expected = codes_in_float(norm, use, channel, x, found.mean, found.variance)
                assert np.array_equal(integers, expected)


def test_statistics_beyond_the_hardware_are_taken_over_in_part() -> None:
    norm = normalisation(1, (0, 15), True, shared=False)
    ranges = [np.broadcast_to(bound, (USES, CHANNELS)) for bound in (norm.lowest, norm.highest)]
    built_in = find_coefficients(norm.thresholds(norm.mean, norm.variance), *ranges, 0)
    assert built_in is not None
    bits = int(built_in.multiplier.max()).bit_length() + 3
    hardware = Arithmetic(built_in.shift + 3, built_in.ties_to_even, bits, 48)
    found = fit(norm, hardware, norm.mean, norm.variance / 10_000)
    assert found.limited > 0
    assert (found.multiplier < 1 << bits).all() and (found.variance >= norm.variance / 10_000).all()


def test_factor_and_offset_are_brevitas_to_the_last_bit() -> None:
    torch.manual_seed(0)
    norm = FieldBatchNorm(4096, times=(0.0, 0.3, 0.7), per_iteration=True, time_bias=True)
    norm.gains = ((1 / 3, 1.0, 0.7),)
    with torch.no_grad():
        for parameter in (norm.weight, norm.bias, norm.time_bias, norm.running_mean):
            assert parameter is not None
            parameter.normal_()
        norm.running_var.uniform_(1e-4, 30)
        shift = torch.stack([norm.time_bias * time for time in norm.times]).numpy()  # type: ignore[operator]

    class Plain:
        weight, bias = norm.weight.detach().numpy(), norm.bias.detach().numpy()
        gain, epsilon, reciprocal = np.array(norm.gains[0], np.float32), np.float32(norm.eps), 1

    Plain.shift = shift  # type: ignore[attr-defined]
    found = affine(Plain, norm.running_mean.numpy(), norm.running_var.numpy())
    for use in range(3):
        for part, expected in zip(found, norm.affine(use), strict=True):
            assert np.array_equal(part[use], expected.detach().reshape(-1).numpy())
