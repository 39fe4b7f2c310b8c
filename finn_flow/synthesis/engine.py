"""Synthesis of modules: several at once, in processes of their own, kept in the cache by content."""

from __future__ import annotations

import gzip
import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from finn_flow.cache import cache_subdir
from finn_flow.errors import FlowError
from finn_flow.files import atomic_write_bytes, atomic_write_json, disk_errors
from finn_flow.progress import Progress, task
from finn_flow.synthesis import primitives, resources
from finn_flow.synthesis.job import PART, StagedJob, SynthesisJob, stage
from finn_flow.synthesis.resources import LABEL, Resources, count_resources
from finn_flow.synthesis.script import LOG, RESULT, identity
from finn_flow.verilator.toolchain import content_hash

PROCESSES = 2
ERRORS = 3
"""Messages of the tool that an error quotes."""


def synthesise(
    top: str,
    sources: Sequence[Path],
    include_dirs: Sequence[Path] = (),
    parameters: Mapping[str, int | str] | None = None,
    defines: Mapping[str, str] | None = None,
    data_files: Sequence[Path] = (),
    part: str = PART,
) -> Resources:
    """Return the resources of one module; the parameters are those of `SynthesisJob`.

    Raises
    ------
    FlowError
        The tool refused the sources (its first messages are given), crashed, or left something unmapped.
    UserError
        A file cannot be read, the part is of another family.
    """
    job = SynthesisJob(top, sources, include_dirs, parameters or {}, defines or {}, data_files, part)
    return synthesise_all([stage(job)])[0]


def synthesise_all(
    jobs: Sequence[StagedJob], processes: int = PROCESSES, progress: Progress | None = None
) -> list[Resources]:
    """Return the resources of each job; equal jobs, and those of earlier calls, are not run again.

    Parameters
    ----------
    processes
        How many run at a time, >= 1.
    progress
        Called with a line for each job that has ended.

    Raises
    ------
    FlowError
        As `synthesise`, for the first job that failed; those that had ended are in the cache.
    """
    cache = cache_subdir("synthesis")
    keys = result_keys(jobs)
    missing = {key: job for key, job in zip(keys, jobs, strict=True) if _cached(cache, key) is None}
    if missing:
        _run(missing, cache, processes, progress)
    results = [_cached(cache, key) for key in keys]
    return [result for result in results if result is not None]


def mapped_netlist(job: StagedJob) -> dict[str, Any]:
    """Return the flat netlist of primitives that a job comes down to, as Yosys writes a module in JSON.

    Its "cells" have a type, parameters and connections by name, its "ports" a direction and bits. A job that is not in
    the cache is synthesised first.

    Raises
    ------
    FlowError
        As `synthesise`.
    """
    synthesise_all([job], 1)
    with gzip.open(_netlist_path(cache_subdir("synthesis"), result_keys([job])[0]), "rt") as file:
        module: dict[str, Any] = json.load(file)
    return module


def result_keys(jobs: Sequence[StagedJob]) -> list[str]:
    """Return the names of the jobs' results in the cache: equal for equal jobs and the same tool."""
    own = (inspect.getsource(module) for module in (primitives, resources))
    tool = [version("pyosys"), *identity(), *own]
    return [f"{job.top[:40]}-{content_hash(*tool, *job.content())}" for job in jobs]


def _netlist_path(cache: Path, key: str) -> Path:
    return cache / f"{key}.netlist.json.gz"


def _cached(cache: Path, key: str) -> Resources | None:
    """Return the result of an earlier run; one that cannot be read, or has no netlist beside it, counts as none."""
    if not _netlist_path(cache, key).is_file():
        return None
    try:
        return Resources.from_json(json.loads((cache / f"{key}.json").read_text())["resources"])
    except (OSError, ValueError, KeyError):
        return None


def _run(jobs: Mapping[str, StagedJob], cache: Path, processes: int, progress: Progress | None) -> None:
    """Run all jobs and put their results into the cache."""
    with tempfile.TemporaryDirectory(prefix="synthesis_") as name, disk_errors(Path(name)):
        root = Path(name)
        folders = [root / str(index) for index in range(len(jobs))]
        for folder, job in zip(folders, jobs.values(), strict=True):
            folder.mkdir()
            job.write(folder)
        descriptions = [_description(*item) for item in zip(folders, jobs.values(), strict=True)]
        (root / "jobs.json").write_text(json.dumps(descriptions))
        names = list(jobs.items())
        with task("synthesis", "nodes") as work:
            for done, (index, status) in enumerate(_worker(root, min(processes, len(jobs))), 1):
                key, job = names[index]
                if status != 0:
                    raise FlowError(f"synthesis of {job.name} failed: {_first_errors(folders[index] / LOG, status)}")
                _store(cache, key, folders[index], job.top)
                shutil.rmtree(folders[index])
                work.advance(done, len(jobs))
                if progress:
                    progress(f"synthesised {job.name} ({done} of {len(jobs)})")


def _description(folder: Path, job: StagedJob) -> dict[str, Any]:
    """Return what the worker is told."""
    return {
        "folder": str(folder),
        "top": job.top,
        "sources": list(job.sources.modules),
        "include": "include" if job.sources.headers else None,
        "parameters": dict(job.parameters),
        "defines": dict(job.defines),
    }


def _worker(root: Path, processes: int) -> Iterator[tuple[int, int]]:
    """Run the worker on the jobs in `root`, and give each job's index and status as it ends."""
    arguments = [str(root / "jobs.json"), str(processes), str(os.getpid())]
    command = [sys.executable, "-m", "finn_flow.synthesis.worker", *arguments]
    messages = root / "worker.log"
    with messages.open("w") as log:
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
    try:
        for line in worker.stdout or ():
            index, status = map(int, line.split())
            yield index, status
        ended = worker.wait()
    finally:
        # Also the children of a worker that is left in the middle.
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    if ended != 0:
        lines = messages.read_text().splitlines() or ["it printed nothing"]
        raise FlowError(f"the synthesis process ended with status {ended}: {lines[-1]}")


def _store(cache: Path, key: str, folder: Path, top: str) -> None:
    """Keep a finished job's netlist, and count what is in it."""
    module = json.loads((folder / RESULT).read_text())["modules"][top]
    try:
        found = count_resources(module)
    except FlowError as error:
        raise FlowError(f"{top}: {error}") from error
    counts = dict(sorted(Counter(cell["type"] for cell in module["cells"].values()).items()))
    text = json.dumps(module, separators=(",", ":"))
    atomic_write_bytes(_netlist_path(cache, key), gzip.compress(text.encode(), compresslevel=1, mtime=0))
    atomic_write_json(cache / f"{key}.json", {"what": LABEL, "top": top, "resources": found.to_json(), "cells": counts})


def _first_errors(log: Path, status: int) -> str:
    """Return the tool's first messages about errors."""
    text = log.read_text(errors="replace") if log.is_file() else ""
    lines = [line.strip() for line in text.splitlines()]
    errors = [line for line in lines if re.search(r"\berror:", line, re.IGNORECASE)]
    if errors:
        return "; ".join(errors[:ERRORS])
    last = next((line for line in reversed(lines) if line), "it printed nothing")
    return f"Yosys ended with status {status} after: {last}"
