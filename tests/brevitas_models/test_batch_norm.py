import pytest
import torch
from torch.nn import functional

from brevitas_models.batch_norm import FieldBatchNorm, IncrementBatchNorm

TIMES = (0.0, 0.25, 0.5)


def random_norm(per_iteration=True):
    torch.manual_seed(0)
    norm = FieldBatchNorm(4, TIMES, per_iteration=per_iteration, time_bias=True)
    for parameter in norm.parameters():
        torch.nn.init.normal_(parameter)
    return norm


@pytest.mark.parametrize("per_iteration", [True, False])
def test_evaluation_is_the_training_formula(per_iteration):
    """With one batch as the statistics, evaluation gives what training gave on that batch."""
    norm, x = random_norm(per_iteration), torch.randn(64, 4, 8, 8) * 3 + 1
    for iteration in range(3):
        norm.start_pooling()
        trained = norm(x, iteration).detach()
        # Running variances are unbiased, training normalises by the biased one.
        with torch.no_grad():
            norm.running_var.mul_((64 * 64 - 1) / (64 * 64))
        norm.eval()
        torch.testing.assert_close(norm(x, iteration), trained, rtol=1e-4, atol=1e-5)
        norm.train()


def test_training_formula():
    norm, x = random_norm(), torch.randn(8, 4, 5, 5)
    plain = functional.batch_norm(x, None, None, norm.weight, norm.bias, training=True, eps=norm.eps)
    expected = plain + norm.time_bias.reshape(1, 4, 1, 1) * 0.5
    torch.testing.assert_close(norm(x, 2), expected)


def test_frozen_constants_are_the_same():
    norm, x = random_norm().eval(), torch.randn(2, 4, 3, 3)
    before = [norm(x, iteration) for iteration in range(3)]
    norm.freeze()
    assert all(torch.equal(norm(x, iteration), y) for iteration, y in enumerate(before))


@pytest.mark.parametrize("training", [True, False])
def test_increments_are_multiples_of_one_batch_norm(training):
    gains = [(0.5, 0.25, 1.0), (0.125, 0.0, 2.0)]
    torch.manual_seed(0)
    norm = IncrementBatchNorm(4, TIMES, gains, per_iteration=True, time_bias=True).train(training)
    plain = FieldBatchNorm(4, TIMES, per_iteration=True, time_bias=True).train(training)
    for parameter, other in zip(norm.parameters(), plain.parameters(), strict=True):
        torch.nn.init.normal_(parameter)
        other.data.copy_(parameter.data)
    for iteration in range(3):
        x = torch.randn(8, 4, 5, 5)
        y = plain(x, iteration)
        for found, use in zip(norm(x, iteration), gains, strict=True):
            torch.testing.assert_close(found, use[iteration] * y)
        assert torch.equal(norm.running_mean, plain.running_mean)  # a batch counts once, however often it is used
    norm.eval()
    before = [norm(x, iteration) for iteration in range(3)]
    norm.freeze()
    assert all(torch.equal(a, b) for i in range(3) for a, b in zip(norm(x, i), before[i], strict=True))


def test_statistics_per_iteration_or_shared():
    assert random_norm(True).running_mean.shape == (3, 4)
    assert random_norm(False).running_mean.shape == (1, 4)
    norm = random_norm(True)
    norm(torch.randn(8, 4, 2, 2) + 5, 1)
    assert norm.running_mean.abs().sum(dim=1).bool().tolist() == [False, True, False]


@pytest.mark.parametrize("sizes", [(16, 16, 16), (256, 2), (2, 256, 30)])
@pytest.mark.parametrize("per_iteration", [True, False])
def test_statistics_are_pooled_over_images(sizes, per_iteration):
    """Batches count by their sizes, and the distance of their means is part of the variance."""
    norm = FieldBatchNorm(2, TIMES, per_iteration=per_iteration)
    generator = torch.Generator().manual_seed(0)
    batches = [torch.randn(size, 2, 4, 4, generator=generator) + 3 * number for number, size in enumerate(sizes)]
    norm.start_pooling()
    for batch in batches:
        for use in range(3):
            norm(batch * (use + 1), use)
    everything = torch.cat(batches).double().transpose(0, 1).flatten(1)
    uses = [everything * (use + 1) for use in range(3)]
    expected = uses if per_iteration else [torch.cat(uses, dim=1)]
    torch.testing.assert_close(norm.running_mean, torch.stack([use.mean(dim=1) for use in expected]).float())
    torch.testing.assert_close(norm.running_var, torch.stack([use.var(dim=1) for use in expected]).float())


def test_after_pooling_statistics_run_again():
    norm = FieldBatchNorm(2)
    norm.start_pooling()
    norm(torch.zeros(4, 2, 2, 2))
    norm.end_pooling()
    norm(torch.randn(4, 2, 2, 2) + 100)
    assert 5 < float(norm.running_mean.max()) < 15
