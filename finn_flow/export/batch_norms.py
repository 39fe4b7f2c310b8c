"""The batch-norms of a Brevitas network as the exported model's metadata hold them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.networks import ODENet
from finn_flow.transformations.batch_norms import BatchNorm


def batch_norms(network: ODENet) -> list[BatchNorm]:
    """Return the batch-norms of a network, in the order of its modules."""
    return [_batch_norm(module) for module in network.modules() if isinstance(module, FieldBatchNorm)]


def _batch_norm(norm: FieldBatchNorm) -> BatchNorm:
    with torch.no_grad():
        nothing = torch.zeros_like(norm.bias)
        shift = [nothing if norm.time_bias is None else norm.time_bias * time for time in norm.times]
        return BatchNorm(
            weight=_array(norm.weight),
            bias=_array(norm.bias),
            shift=_array(torch.stack(shift)),
            gain=np.array(norm.gain, np.float32),
            epsilon=np.array(norm.eps, np.float32),
            reciprocal=np.array(1),
            statistic=np.arange(len(norm.times)) % norm.statistics,
            mean=_array(norm.running_mean),
            variance=_array(norm.running_var),
        )


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float32).copy()
