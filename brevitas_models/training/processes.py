"""The processes that share a training (`torchrun`); in a training of one process every function here does nothing.

Each process trains on its part of every batch, and gradients are averaged after every step, so that all hold the same
weights. Batch-norm and adaptation losses see a process's own part of the batch only, so results differ a little from
those of one process with the whole batch. What looks at whole data sets (statistics, pseudo-labels, accuracy) is
done by every process alike; what counts is what the first one writes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn

from finn_flow.errors import FlowError, UserError


@contextmanager
def joined(shared: bool, cuda: bool = False) -> Iterator[None]:
    """Join the processes that `torchrun` started, by NCCL between GPUs, else by Gloo; nothing unless `shared`."""
    if shared:
        store, number, processes = next(distributed.rendezvous("env://"))
        # torchrun keeps one store for all its restarts: without a prefix a process may find the address of a dead one.
        attempt = distributed.PrefixStore(f"restart_{os.environ['TORCHELASTIC_RESTART_COUNT']}", store)
        distributed.init_process_group("nccl" if cuda else "gloo", store=attempt, rank=number, world_size=processes)
    try:
        yield
    finally:
        if shared:
            distributed.destroy_process_group()


def count() -> int:
    """Return number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Return number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def device_index() -> int:
    """Return number of this process's GPU."""
    return distributed.get_node_local_rank(fallback_rank=0) if distributed.is_initialized() else 0


def check_batch_size(batch_size: int) -> None:
    """Make sure that every process gets the same share of a batch, at least two images.

    Raises
    ------
    UserError
        It cannot.
    """
    if batch_size % count() or batch_size // count() < 2:
        raise UserError(
            f"`batch_size` must be a multiple of the {count()} processes, at least {2 * count()}, not {batch_size}"
        )


def share(batch: Tensor) -> Tensor:
    """Return this process's part of the indices of a batch."""
    return batch[rank() :: count()]


@contextmanager
def folder_to_write(folder: Path) -> Iterator[Path]:
    """`folder` for the first process; for the others, which need not even see it, one that vanishes afterwards."""
    if rank() == 0:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="training_") as own:
        yield Path(own)


def from_first(value: Any) -> Any:
    """Return the value, which may be any object, that the first process has."""
    if count() == 1:
        return value
    values = [value]
    _exchange(distributed.broadcast_object_list, values)
    return values[0]


@torch.no_grad()
def align(network: nn.Module) -> None:
    """Give all processes the parameters and buffers of the first, so that differences in rounding cannot add up."""
    if count() > 1:
        for value in network.state_dict().values():
            _exchange(distributed.broadcast, value, 0)


@torch.no_grad()
def average_gradients(network: nn.Module) -> None:
    """Replace every gradient by its mean over the processes, in one exchange."""
    if count() == 1:
        return
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    _exchange(distributed.all_reduce, flat)
    flat /= count()
    for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def average(values: dict[str, float], device: torch.device) -> dict[str, float]:
    """Return the mean of each value over the processes."""
    if count() == 1:
        return values
    means = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
    _exchange(distributed.all_reduce, means)
    return dict(zip(values, (means / count()).tolist(), strict=True))


def _exchange(operation: Callable[..., Any], *arguments: Any) -> None:
    """Exchange something between the processes.

    Raises
    ------
    FlowError
        Another process has ended.
    """
    try:
        operation(*arguments)
    except RuntimeError as error:
        raise FlowError(
            f"another process of this training has ended ({str(error).splitlines()[0]}); "
            "the same command goes on from the last whole epoch"
        ) from error
