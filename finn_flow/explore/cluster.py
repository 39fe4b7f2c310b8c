"""Where candidates are evaluated: workers on this machine, of a running Dask scheduler, or of Slurm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finn_flow.errors import FlowError, UserError

RETRIES = 5
"""How often a task begins again after its worker has died."""


@contextmanager
def cluster(workers: int, scheduler: str | None, slurm: bool, scratch: Path) -> Iterator[Any]:
    """Give a Dask client; its workers take one task at a time each.

    Parameters
    ----------
    workers
        Processes on this machine, or jobs of Slurm.
    scheduler
        Address of a scheduler that runs already; its workers must see the exploration's folder under the same path.
    slurm
        Whether to start workers as jobs of Slurm, by dask-jobqueue.
    scratch
        For the workers' own files.

    Raises
    ------
    UserError
        Dask (or dask-jobqueue) is not installed.
    FlowError
        The scheduler does not answer.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ModuleNotFoundError:
        raise UserError("exploration needs Optuna and Dask: pip install 'dsode-flow[explore]'") from None
    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": RETRIES,
            "distributed.worker.daemon": False,
            "distributed.logging.distributed": "critical",
        }
    )
    if scheduler is not None:
        try:
            with Client(scheduler, timeout="10s") as client:
                yield client
        except OSError as error:
            raise FlowError(f"no Dask scheduler answers at {scheduler}: {error}") from None
        return
    if slurm:
        with _slurm(workers) as jobs, Client(jobs) as client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address=None,
            local_directory=str(scratch),
            silence_logs="CRITICAL",
        ) as local,
        Client(local) as client,
    ):
        yield client


def _slurm(workers: int) -> Any:
    try:
        from dask_jobqueue import SLURMCluster
    except ModuleNotFoundError:
        raise UserError("--slurm needs dask-jobqueue: pip install dask-jobqueue") from None
    jobs = SLURMCluster(cores=1, processes=1, memory="8GB")  # what else it takes is in ~/.config/dask/jobqueue.yaml
    jobs.scale(jobs=workers)
    return jobs
