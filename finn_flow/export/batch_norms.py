"""The batch-norms of a Brevitas network as the exported model's metadata hold them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.networks import ODENet
from finn_flow.errors import FlowError
from finn_flow.transformations.batch_norms import BatchNorm

Statistics = dict[str, tuple[np.ndarray, np.ndarray]]


def batch_norms(network: ODENet) -> list[BatchNorm]:
    """Return the batch-norms of a network, in the order of its modules; none if some have several outputs.

    Such statistics would have to suit several quantisers at once.
    """
    norms = [module for module in network.modules() if isinstance(module, FieldBatchNorm)]
    return [_batch_norm(norm) for norm in norms] if all(len(norm.gains) == 1 for norm in norms) else []


def _batch_norm(norm: FieldBatchNorm) -> BatchNorm:
    with torch.no_grad():
        nothing = torch.zeros_like(norm.bias)
        shift = [nothing if norm.time_bias is None else norm.time_bias * time for time in norm.times]
        return BatchNorm(
            weight=_array(norm.weight),
            bias=_array(norm.bias),
            shift=_array(torch.stack(shift)),
            gain=np.array(norm.gains[0], np.float32),
            epsilon=np.array(norm.eps, np.float32),
            reciprocal=np.array(1),
            statistic=np.arange(len(norm.times)) % norm.statistics,
            mean=_array(norm.running_mean),
            variance=_array(norm.running_var),
        )


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float32).copy()


def exchange_statistics(network: ODENet, old: Statistics, new: Statistics) -> None:
    """Give a network other running statistics, of which only the old values say where they belong.

    Parameters
    ----------
    old, new
        Mean and variance, float32 [statistics, channels] each, by names of any kind.

    Raises
    ------
    FlowError
        The network has no batch-norm with some of the old statistics.
    """
    norms = [module for module in network.modules() if isinstance(module, FieldBatchNorm)]
    places = []
    for name, (means, variances) in old.items():
        for row in range(len(means)):
            places.append((name, row, _find(norms, name, means[row], variances[row])))
    with torch.no_grad():
        for name, row, (norm, at) in places:
            norm.running_mean[at] = torch.from_numpy(new[name][0][row].copy())
            norm.running_var[at] = torch.from_numpy(new[name][1][row].copy())


def _find(norms: list[FieldBatchNorm], name: str, mean: np.ndarray, variance: np.ndarray) -> tuple[FieldBatchNorm, int]:
    for norm in norms:
        for at in range(norm.statistics):
            found = norm.running_mean[at].numpy(), norm.running_var[at].numpy()
            if np.array_equal(found[0], mean) and np.array_equal(found[1], variance):
                return norm, at
    raise FlowError(f"the network has no batch-norm with the old statistics of {name}")
